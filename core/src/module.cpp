// What Python sees: midflight_core.Space. See simlib/check/core_successors.py.
#include <exception>
#include <memory>

#include "space.hpp"

namespace midflight {
namespace {

inline constexpr long VERSION = 1;  // of what simlib and this module ask one another
inline constexpr u32 MOST_WORKERS = 26;

struct SpaceObject {
    PyObject_HEAD
    Space* space;
    bool broken;  // it ran out of memory, and may have noted half of something
};

// What a method does, with C++'s errors as Python's.
template <class Body>
PyObject* guarded(SpaceObject* self, Body body) noexcept {
    try {
        if (self && self->broken) throw std::bad_alloc();
        return body();
    } catch (const Failed&) {
    } catch (const std::bad_alloc&) {
        if (self) self->broken = true;
        PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

[[noreturn]] void refuse(const char* why) {
    PyErr_SetString(PyExc_ValueError, why);
    throw Failed();
}

std::vector<u32> numbers_of(PyObject* tuple, u32 below) {
    std::vector<u32> found;
    for (std::size_t at = 0; at < length(tuple); at++) {
        found.push_back(number_at(tuple, at));
        if (found.back() >= below) refuse("a number is too large");
    }
    return found;
}

Space::Shape shape_of(PyObject* args, PyObject** timed) {
    unsigned int workers, resources;
    int shared, symmetric, restricted;
    PyObject *owning, *owned, *clocks, *claimed, *low, *high, *last, *groups, *kinds;
    if (!PyArg_ParseTuple(args, "IIpppOOOOOOOOOO:Space", &workers, &resources, &shared, &symmetric, &restricted,
                          &owning, &owned, &clocks, &claimed, &low, &high, &last, &groups, &kinds, timed))
        throw Failed();
    if (workers > MOST_WORKERS || resources >= (u32(1) << 24)) refuse("too many workers or resources");
    Space::Shape shape{workers, resources, shared != 0, symmetric != 0, restricted != 0, {}, {}, {}, {}, {}, {}, {},
                       {}, {}};
    shape.owning = numbers_of(owning, resources);
    shape.owned = numbers_of(owned, resources);
    shape.clocks = numbers_of(clocks, resources);
    shape.claimed = numbers_of(claimed, resources);
    shape.low = numbers_of(low, NONE);
    shape.high = numbers_of(high, NONE);
    shape.last = numbers_of(last, workers);
    if (shape.low.size() != workers || shape.high.size() != workers || shape.last.size() != workers)
        refuse("something is missing about a worker");
    for (std::size_t at = 0; at < length(groups); at++) shape.groups.push_back(numbers_of(item(groups, at), workers));
    for (std::size_t at = 0; at < length(kinds); at++) {
        PyObject* one = item(kinds, at);
        shape.kinds.push_back(Kind{number_at(one, 0), number_at(one, 1), number_at(one, 2), number_at(one, 3)});
        if (shape.kinds.back().index >= 32) refuse("too many kinds");
    }
    if (!PyList_Check(*timed)) refuse("the resources with timers are no list");
    return shape;
}

PyObject* make(PyTypeObject* type, PyObject* args, PyObject*) {
    return guarded(nullptr, [&] {
        PyObject* timed;
        Space::Shape shape = shape_of(args, &timed);
        std::unique_ptr<Space> space(new Space(std::move(shape), timed));
        PyObject* made = PyType_GenericAlloc(type, 0);
        if (!made) throw Failed();
        SpaceObject* self = reinterpret_cast<SpaceObject*>(made);
        self->space = space.release();
        self->broken = false;
        return made;
    });
}

void unmake(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    delete reinterpret_cast<SpaceObject*>(object)->space;
    reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

SpaceObject* self_of(PyObject* object) { return reinterpret_cast<SpaceObject*>(object); }

u32 state_of(const Space& space, unsigned int state) {
    if (state < space.states.size()) return state;
    PyErr_SetString(PyExc_IndexError, "no such state");
    throw Failed();
}

PyObject* add(PyObject* object, PyObject* row) {
    return guarded(self_of(object), [&] {
        Space& space = *self_of(object)->space;
        const std::vector<u32> numbers = numbers_of(row, NONE);
        if (numbers.size() != space.states.width()) refuse("a state has another number of parts");
        return PyLong_FromUnsignedLong(space.add(numbers));
    });
}

template <bool (Space::*loop)(u32, u64)>
PyObject* search(PyObject* object, PyObject* args) {
    return guarded(self_of(object), [&]() -> PyObject* {
        Space& space = *self_of(object)->space;
        PyObject *successors, *searching;
        unsigned int first;
        unsigned long long most;
        if (!PyArg_ParseTuple(args, "OOIK", &successors, &searching, &first, &most)) throw Failed();
        Space::Asking asking(space, successors, searching);
        if (space.visited) refuse("it was searched before");
        return PyBool_FromLong((space.*loop)(state_of(space, first), most));
    });
}

PyObject* following(PyObject* object, PyObject* args) {
    return guarded(self_of(object), [&] {
        Space& space = *self_of(object)->space;
        PyObject* successors;
        unsigned int state;
        if (!PyArg_ParseTuple(args, "OI", &successors, &state)) throw Failed();
        Space::Asking asking(space, successors, nullptr);
        space.follow(state_of(space, state));
        Ref targets(tuple_of(space.targets, space.targets.size())), edges(tuple_of(space.edges, space.edges.size()));
        return Py_BuildValue("(OOKi)", targets.get(), edges.get(), static_cast<unsigned long long>(space.able),
                             static_cast<int>(space.rests));
    });
}

PyObject* circles(PyObject* object, PyObject* args) {
    return guarded(self_of(object), [&] {
        Space& space = *self_of(object)->space;
        PyObject* successors;
        unsigned long long below;
        if (!PyArg_ParseTuple(args, "OK", &successors, &below)) throw Failed();
        Space::Asking asking(space, successors, nullptr);
        Ref all(PyList_New(0));
        for (const std::vector<u32>& members : space.circles(below)) {
            Ref one(tuple_of(members, members.size()));
            if (PyList_Append(all.get(), one.get()) < 0) throw Failed();
        }
        return all.give();
    });
}

PyObject* schedules(PyObject* object, PyObject*) {
    return guarded(self_of(object), [&]() -> PyObject* {
        std::vector<u64> number;
        if (!self_of(object)->space->schedules(number)) Py_RETURN_NONE;
        return tuple_of(number, number.size());
    });
}

PyObject* row(PyObject* object, PyObject* number) {
    return guarded(nullptr, [&] {
        const Space& space = *self_of(object)->space;
        return tuple_of(space.states.row(state_of(space, to_u32(number))), space.states.width());
    });
}

// How a state was reached first: the edge, and the state before; None for where it all begins.
PyObject* came(PyObject* object, PyObject* number) {
    return guarded(nullptr, [&]() -> PyObject* {
        const Space& space = *self_of(object)->space;
        const u32 state = state_of(space, to_u32(number));
        if (state >= space.how.size() || space.how[state] == NONE) Py_RETURN_NONE;
        return Py_BuildValue("(II)", space.how[state], space.before[state]);
    });
}

// A label: its state, its turn, its cost, and the label before and the edge, if any.
PyObject* label(PyObject* object, PyObject* number) {
    return guarded(nullptr, [&] {
        const Space& space = *self_of(object)->space;
        const u32 at = to_u32(number);
        if (at >= space.labels.size()) {
            PyErr_SetString(PyExc_IndexError, "no such label");
            throw Failed();
        }
        const Label& one = space.labels[at];
        const auto cost = static_cast<unsigned long long>(one.cost);
        if (one.before == NONE) return Py_BuildValue("(IiKOO)", one.state, int(one.last), cost, Py_None, Py_None);
        return Py_BuildValue("(IiKII)", one.state, int(one.last), cost, one.before, one.edge);
    });
}

PyObject* first_label(PyObject* object, PyObject* number) {
    return guarded(nullptr, [&]() -> PyObject* {
        const Space& space = *self_of(object)->space;
        const u32 state = state_of(space, to_u32(number));
        if (state >= space.first_label.size() || space.first_label[state] == NONE) Py_RETURN_NONE;
        return PyLong_FromUnsignedLong(space.first_label[state]);
    });
}

// How many states there are, and were visited; how many transitions; who could ever take a step; the cost so far.
PyObject* so_far(PyObject* object, PyObject*) {
    return guarded(nullptr, [&] {
        const Space& space = *self_of(object)->space;
        using Long = unsigned long long;
        return Py_BuildValue("(IKKKK)", space.states.size(), Long(space.visited), Long(space.transitions),
                             Long(space.able_ever), Long(space.bucket));
    });
}

// The edges that were possible in some state, with something left of the budget.
PyObject* struck(PyObject* object, PyObject*) {
    return guarded(nullptr, [&] {
        const Space& space = *self_of(object)->space;
        Ref all(PyList_New(0));
        for (std::size_t at = 0; at < space.edges_known.size(); at++) {
            if (!space.edges_known[at].struck) continue;
            Ref one(PyLong_FromSize_t(at));
            if (PyList_Append(all.get(), one.get()) < 0) throw Failed();
        }
        return all.give();
    });
}

PyMethodDef methods[] = {
    {"add", add, METH_O, "The number of the state with these parts."},
    {"reach", search<&Space::reach>, METH_VARARGS, "Visit every state once. Returns whether it came to the end."},
    {"shortest", search<&Space::shortest>, METH_VARARGS, "Visit states by their smallest ways. Returns the same."},
    {"following", following, METH_VARARGS, "All that can happen in a state: targets, edges, who is able, rests."},
    {"circles", circles, METH_VARARGS, "The sets of states, reached for less than this, that are never left."},
    {"schedules", schedules, METH_NOARGS, "The number of schedules, in 64-bit digits, the lowest first; or None."},
    {"row", row, METH_O, "The parts of a state."},
    {"came", came, METH_O, "The edge by which a state was reached, and from which; or None."},
    {"label", label, METH_O, "A label: state, turn, cost, the label before, edge."},
    {"first_label", first_label, METH_O, "A state's first label; or None."},
    {"so_far", so_far, METH_NOARGS, "States, visited, transitions, who was able, cost."},
    {"struck", struck, METH_NOARGS, "The edges that were possible with something left of the budget."},
    {nullptr, nullptr, 0, nullptr},
};

template <class Function>
void* slot(Function function) {
    return reinterpret_cast<void*>(function);
}

PyType_Slot slots[] = {
    {Py_tp_new, slot(make)},
    {Py_tp_dealloc, slot(unmake)},
    {Py_tp_methods, methods},
    {Py_tp_doc, const_cast<char*>("The states of a system, and what can happen in each.")},
    {0, nullptr},
};

PyType_Spec spec = {"midflight_core.Space", sizeof(SpaceObject), 0, Py_TPFLAGS_DEFAULT, slots};

int fill(PyObject* module) {
    PyObject* type = PyType_FromSpec(&spec);
    if (!type) return -1;
    const int added = PyModule_AddObjectRef(module, "Space", type);
    Py_DECREF(type);
    return added < 0 ? -1 : PyModule_AddIntConstant(module, "VERSION", VERSION);
}

PyModuleDef_Slot module_slots[] = {{Py_mod_exec, slot(fill)}, {0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "midflight_core", "The search loops of simlib.check, compiled.", 0, nullptr, module_slots,
    nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace midflight

PyMODINIT_FUNC PyInit_midflight_core() { return PyModuleDef_Init(&midflight::definition); }
