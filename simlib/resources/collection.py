"""A collection of items behind a REST API."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.errors import Conflict, Mistake, NotFound
from simlib.model.operation import Op
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.values import freeze, fresh, in_order, unordered
from simlib.model.view import Value, asked
from simlib.text import show


@dataclass
class CollectionState(State):
    """The items by name; a property sees what Collection says."""

    sees = ("items",)
    items: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.items.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self.items

    def on_get(self, who: str, name: str) -> Any:
        return self._found(name)

    def on_list(self, who: str) -> list[str]:
        return sorted(self.items)

    def on_put(self, who: str, name: str, item: Any) -> None:
        self.items[name] = item

    def on_create(self, who: str, name: str, item: Any) -> None:
        if name in self.items:
            raise Conflict(name)
        self.items[name] = item

    def on_delete(self, who: str, name: str) -> None:
        self._found(name)
        del self.items[name]

    def _found(self, name: str) -> Any:
        if name not in self.items:
            raise NotFound(name)
        return self.items[name]

    def key(self) -> Hashable:
        return unordered(self.items)

    def summary(self) -> str:
        shown = (f"{name} = {item if isinstance(item, str) else show(item)}" for name, item in in_order(self.items))
        return ", ".join(shown) or "empty"

    def outcome(self) -> Hashable:
        return tuple((name, freeze(item)) for name, item in in_order(self.items))


class Collection(Resource):
    """A collection of items in a service of its own, each at its name's address: GET, PUT and DELETE /schedules/ann.

    Modelled on a REST API that answers 404 for a missing item, also to DELETE: MongoDB's API guideline IPA-108 asks for
    that ("Delete"), and Kubernetes does it. SQL, Redis and S3 do not: there a second delete succeeds
    (`Database.delete`). PUT stores the item whatever was there, so it can be repeated (RFC 9110, section 9.2.2). A POST
    to the collection, with a name that the client chose, is answered 409 if there is such an item: Kubernetes does that
    (StatusReasonAlreadyExists), and Google's guideline asks for it (AIP-133, ALREADY_EXISTS).

    `items` are the initial ones. Raises Mistake if a name is not text, or an item is not plain data.

    Left out: paging, ETags, If-Match and If-None-Match (412), items that the server names, errors other than 404, 409
    and those that faults bring.
    """

    def __init__(self, items: dict[str, Any] | None = None) -> None:
        if not isinstance(items or {}, dict):
            raise Mistake(f'Collection({show(items)}): give the first items as a dict, such as {{"ann": "monthly"}}.')
        self._items: dict[str, Any] = {_name(name): fresh(item) for name, item in (items or {}).items()}

    def initial(self, name: str) -> CollectionState:
        return CollectionState(fresh(self._items))

    @asked
    def __getitem__(self, name: str) -> Value:
        """For a property: the item, None if there is none."""
        raise NotImplementedError

    @asked
    def __contains__(self, name: str) -> bool:
        """For a property: whether there is such an item."""
        raise NotImplementedError

    @property
    def items(self) -> Mapping[str, Value]:
        """For a property: all items by name."""
        raise NotImplementedError

    def get(self, name: str) -> Op:
        """Answers the item. Raises NotFound (404) if there is none."""
        return Op(self._name, "get", (_name(name),))

    def put(self, name: str, item: Any) -> Op:
        """Store the item under this name, whatever was there before."""
        return Op(self._name, "put", (_name(name), item))

    def create(self, name: str, item: Any) -> Op:
        """Add the item (POST). Raises Conflict (409) if there is one of this name: perhaps an earlier try made it."""
        return Op(self._name, "create", (_name(name), item))

    def delete(self, name: str) -> Op:
        """Remove the item. Raises NotFound (404) if there is none."""
        return Op(self._name, "delete", (_name(name),))

    def list(self) -> Op:
        """Answers the names of all items, sorted."""
        return Op(self._name, "list")


def _name(name: Any) -> str:
    if type(name) is not str:
        raise Mistake(f"{show(name)} is no name of an item in a Collection. Give text.")
    return name
