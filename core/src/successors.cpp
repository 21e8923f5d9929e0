// What can happen next in a state. Each function follows the one of its name in simlib/check.
#include "space.hpp"

namespace midflight {

namespace {
inline constexpr u32 UNKNOWN = NONE - 1;
}

Space::Space(Shape shape, PyObject* timed)
    : states(shape.workers + shape.resources + 1),
      shape_(std::move(shape)),
      width_(shape_.workers + shape_.resources + 1),
      timed_list_(timed),
      here_(width_),
      next_(width_),
      key_(width_),
      power_keys_(std::max<u32>(1, shape_.resources)),
      claim_keys_(std::max<std::size_t>(1, shape_.claimed.size())),
      rest_keys_(std::max<u32>(1, width_ - 1)) {
    step_begins_.add(0);
    timer_begins_.add(0);
    power_begins_.add(0);
    Py_INCREF(timed_list_);  // last: what throws above leaves nothing to let go
}

Space::Asking::Asking(Space& space, PyObject* successors, PyObject* search) : space_(space) {
    if (space.successors_) {
        PyErr_SetString(PyExc_RuntimeError, "a search is going on");
        throw Failed();
    }
    space.successors_ = successors;
    space.search_ = search;
}

u32 Space::add(const std::vector<u32>& row) { return states.number(row.data()); }

void Space::follow(u32 state) {
    targets.clear();
    edges.clear();
    able = 0;
    std::copy_n(states.row(state), width_, here_.begin());
    if (somebody_sleeps()) return ask_for_everything();
    const u32 left = here_[width_ - 1];
    for (u32 worker = 0; worker < shape_.workers; worker++) steps(worker);
    timers();
    if (left) strikes();
    rests = !able;
    for (u32 one : edges) rests = rests && edges_known[one].flags & Edge::IS_FAULT;
    if (shape_.restricted) keep_allowed();
    if (left)
        for (u32 one : edges) edges_known[one].struck = true;
}

bool Space::somebody_sleeps() {
    for (u32 worker = 0; worker < shape_.workers; worker++)
        if (node(here_[worker]).flags & Node::ASLEEP) return true;
    return false;
}

// Where somebody sleeps or waits, time decides: Python knows all about it.
void Space::ask_for_everything() {
    Ref row(tuple_of(here_, width_));
    Ref found = ask_successors("everything", "(O)", row.get());
    PyObject* rows = item(found.get(), 0);
    for (std::size_t at = 0; at < length(rows); at++) {
        PyObject* one = item(rows, at);
        for (u32 place = 0; place < width_; place++) next_[place] = number_at(one, place);
        targets.add(states.number(next_.data()));
        edges.add(number_at(item(found.get(), 1), at));
        edge(edges.back());
    }
    able = to_u64(item(found.get(), 2));
    rests = to_bool(item(found.get(), 3));
}

void Space::start_after(u32 left) {
    next_ = here_;
    next_[width_ - 1] = left;
}

void Space::reached(u32 edge_number) {
    edge(edge_number);
    targets.add(states.number(next_.data()));
    edges.add(edge_number);
}

void Space::arrive(u32 worker, u32 goes_to, u32 edge_number) {
    if (node(goes_to).flags & Node::ASLEEP) minding(fell_asleep(worker));
    if (shape_.symmetric && out_of_order(worker, goes_to)) overtake(worker, goes_to);
    reached(edge_number);
}

// Steps

void Space::steps(u32 worker) {
    const u32 at = here_[worker], resource = node(at).resource;
    if (resource == NONE) return;
    const u32 place = shape_.workers + resource, left = here_[width_ - 1];
    const u32 known = steps_at(worker, at, here_[place]);
    if (step_able_[known]) able |= u64(1) << worker;
    for (u32 way = step_begins_[known]; way < step_begins_[known + 1]; way++) {
        const Step step = steps_[way];
        const u32 rest = pay(step.price, left);
        if (rest == NONE) continue;
        start_after(rest);
        next_[worker] = step.goes_to;
        next_[place] = step.number;
        if (edge(step.edge).flags & Edge::OVER) happen(gone(worker), shape_.owning);
        arrive(worker, step.goes_to, step.edge);
    }
}

u32 Space::steps_at(u32 worker, u32 at, u32 number) {
    const u32 left = shape_.shared ? here_[width_ - 1] : 0, key[] = {worker, at, number, left};
    const u32 known = step_keys_.find(key);
    if (known != NONE) return known;
    Ref found = ask_successors("steps", "(IIII)", worker, at, number, left);
    u8 can = 0;
    for (std::size_t way = 0; way < length(found.get()); way++) {
        PyObject* one = item(found.get(), way);
        const Step step = {number_at(one, 0), number_at(one, 1), number_at(one, 2), number_at(one, 3)};
        if (!step.price) can = 1;
        steps_.add(step);
    }
    step_able_.add(can);
    step_begins_.add(static_cast<u32>(steps_.size()));
    return step_keys_.number(key);
}

// Timers

void Space::timers() {
    look_at_timed();
    const u32 left = here_[width_ - 1];
    for (std::size_t one = 0; one < timed_.size(); one++) {
        const u32 resource = timed_[one], place = shape_.workers + resource;
        const u32 known = timers_at(resource, here_[place]);
        for (u32 at = timer_begins_[known]; at < timer_begins_[known + 1]; at++) {
            const Timer timer = timers_[at];
            const bool early = able && timer.owned;
            const u32 rest = early ? pay(timer.price, left) : left;
            if (rest == NONE) continue;
            start_after(rest);
            next_[place] = timer.number;
            if (timer.passing != NONE) minding(timer.passing);
            reached(early ? timer.early : timer.free);
        }
    }
}

u32 Space::timers_at(u32 resource, u32 number) {
    const u32 left = shape_.shared ? here_[width_ - 1] : 0, key[] = {resource, number, left};
    const u32 known = timer_keys_.find(key);
    if (known != NONE) return known;
    Ref found = ask_successors("timers", "(III)", resource, number, left);
    for (std::size_t at = 0; at < length(found.get()); at++) {
        PyObject* one = item(found.get(), at);
        timers_.add(Timer{number_at(one, 0), number_at(one, 1), number_at(one, 2), number_at(one, 3),
                          number_at(one, 4), number_at(one, 5)});
    }
    timer_begins_.add(static_cast<u32>(timers_.size()));
    return timer_keys_.number(key);
}

void Space::look_at_timed() {
    const Py_ssize_t size = PyList_Size(timed_list_);
    if (size < 0) throw Failed();
    if (static_cast<std::size_t>(size) == timed_.size()) return;
    timed_.clear();
    for (Py_ssize_t at = 0; at < size; at++) {
        PyObject* resource = PyList_GetItem(timed_list_, at);
        if (!resource) throw Failed();
        timed_.push_back(to_u32(resource));
    }
}

// Strikes

void Space::strikes() {
    const u32 on = kinds_on(here_[width_ - 1]);
    for (const Kind& kind : shape_.kinds) {
        if (!(on >> kind.index & 1)) continue;
        if (kind.power_loss) {
            power_losses();
            continue;
        }
        for (u32 worker = 0; worker < shape_.workers; worker++) strike(kind, worker);
    }
}

void Space::strike(const Kind& kind, u32 worker) {
    const u32 at = here_[worker];
    const Step ending = endings_[ending_at(kind.index, worker, at)];
    const u32 rest = ending.goes_to == NONE ? NONE : pay(ending.price, here_[width_ - 1]);
    if (rest == NONE) return;
    start_after(rest);
    next_[worker] = ending.goes_to;
    const u32 resource = node(at).resource;
    if (kind.told && std::count(shape_.owned.begin(), shape_.owned.end(), resource)) {
        const u32 place = shape_.workers + resource;
        next_[place] = after(cancelled(worker), resource, next_[place]);
    }
    if (!kind.started && edge(ending.edge).flags & Edge::OVER) happen(gone(worker), shape_.owning);
    arrive(worker, ending.goes_to, ending.edge);
}

u32 Space::ending_at(u32 kind, u32 worker, u32 at) {
    const u32 left = shape_.shared ? here_[width_ - 1] : 0, key[] = {kind, worker, at, left};
    const u32 known = ending_keys_.find(key);
    if (known != NONE) return known;
    Ref found = ask_successors("ending", "(IIII)", kind, worker, at, left);
    Step ending = {0, NONE, 0, 0};
    if (found.get() != Py_None)
        ending = {number_at(found.get(), 0), number_at(found.get(), 1), 0, number_at(found.get(), 2)};
    endings_.add(ending);
    return ending_keys_.number(key);
}

void Space::power_losses() {
    const u32 left = here_[width_ - 1], workers = shape_.workers, resources = shape_.resources;
    while (power_prices_.size() <= left) power_prices_.add(UNKNOWN);
    if (power_prices_[left] == UNKNOWN) power_prices_[left] = to_u32(ask_successors("power_price", "(I)", left).get());
    const u32 rest = pay(power_prices_[left], left), known = worlds_after_power_loss();
    const u32 begin = power_begins_[known], count = power_begins_[known + 1] - begin;
    bool matters = count > 1;
    for (u32 worker = 0; worker < workers; worker++) matters |= (node(here_[worker]).flags & Node::RUNNING) != 0;
    if (rest == NONE || !matters || !count) return;
    start_after(rest);
    for (u32 worker = 0; worker < workers; worker++) next_[worker] = restarted(worker, here_[worker]);
    std::vector<std::vector<u32>> rows;
    for (u32 choice = 0; choice < count; choice++) {
        std::copy_n(&power_worlds_[std::size_t(begin + choice) * resources], resources, next_.begin() + workers);
        rows.push_back(next_);
    }
    for (u32 worker = 0; worker < workers; worker++) {
        if (!(node(rows[0][worker]).flags & Node::ASLEEP)) continue;
        for (std::vector<u32>& row : rows) {
            next_.swap(row);
            minding(fell_asleep(worker));
            next_.swap(row);
        }
    }
    if (power_edges_.size() < count) {
        Ref more = ask_successors("power_edges", "(II)", count, left);
        for (std::size_t at = power_edges_.size(); at < count; at++) power_edges_.add(number_at(more.get(), at));
    }
    for (u32 choice = 0; choice < count; choice++) {
        next_ = rows[choice];
        if (shape_.symmetric) sort();
        reached(power_edges_[choice]);
    }
}

// The place in `power_begins_` of the worlds that can follow this one.
u32 Space::worlds_after_power_loss() {
    const u32* world = here_.data() + shape_.workers;
    const u32 known = power_keys_.find(world);
    if (known != NONE) return known;
    Ref numbers(tuple_of(world, shape_.resources));
    Ref found = ask_successors("worlds_after_power_loss", "(O)", numbers.get());
    const std::size_t count = length(found.get());
    for (std::size_t at = 0; at < count; at++)
        for (u32 place = 0; place < shape_.resources; place++)
            power_worlds_.add(number_at(item(found.get(), at), place));
    power_begins_.add(power_begins_.back() + static_cast<u32>(count));
    return power_keys_.number(world);
}

u32 Space::restarted(u32 worker, u32 at) {
    const u32 key[] = {worker, at}, known = restart_keys_.find(key);
    if (known != NONE) return restart_nodes_[known];
    const u32 goes_to = to_u32(ask_successors("restarted", "(II)", worker, at).get());
    restart_nodes_.add(goes_to);
    restart_keys_.number(key);
    return goes_to;
}

// Only what may happen in a search that is restricted to one place.
void Space::keep_allowed() {
    Ref nodes(tuple_of(here_, shape_.workers)), found(tuple_of(edges, edges.size()));
    Ref kept = ask_successors("allowed", "(OO)", nodes.get(), found.get());
    const std::size_t count = length(kept.get());
    for (std::size_t at = 0; at < count; at++) {
        const u32 from = number_at(kept.get(), at);
        if (from < at || from >= edges.size()) {
            PyErr_SetString(PyExc_ValueError, "what may happen is not in order");
            throw Failed();
        }
        targets[at] = targets[from];
        edges[at] = edges[from];
    }
    targets.resize(count, 0);
    edges.resize(count, 0);
}

// Events

u32 Space::after(u32 event, u32 resource, u32 number) {
    const u32 key[] = {event, resource, number}, known = event_keys_.find(key);
    if (known != NONE) return event_numbers_[known];
    const u32 result = to_u32(ask_successors("after", "(III)", event, resource, number).get());
    event_numbers_.add(result);
    event_keys_.number(key);
    return result;
}

void Space::happen(u32 event, const std::vector<u32>& resources) {
    for (u32 resource : resources) {
        const u32 place = shape_.workers + resource;
        next_[place] = after(event, resource, next_[place]);
    }
}

// Let it happen to all that mind time.
void Space::minding(u32 event) {
    look_at_timed();
    minding_ = timed_;
    minding_.insert(minding_.end(), shape_.clocks.begin(), shape_.clocks.end());
    happen(event, minding_);
}

// Symmetry

bool Space::out_of_order(u32 worker, u32 goes_to) const {
    const u32 low = shape_.low[worker], high = shape_.high[worker];
    return (low < shape_.workers && goes_to < here_[low]) || (high < shape_.workers && goes_to > here_[high]);
}

void Space::overtake(u32 worker, u32 goes_to) {
    u32 rank = worker;
    while (rank < shape_.last[worker] && here_[rank + 1] < goes_to) {
        next_[rank] = here_[rank + 1];
        next_[++rank] = goes_to;
    }
    while (rank <= worker && shape_.low[rank] < rank && here_[rank - 1] > goes_to) {
        next_[rank] = here_[rank - 1];
        next_[--rank] = goes_to;
    }
    if (shape_.owned.empty()) return;
    const std::vector<u32> way = {worker, rank};
    auto known = renamings_.find(way);
    if (known == renamings_.end())
        known = renamings_.emplace(way, to_u32(ask_successors("rotation", "(II)", worker, rank).get())).first;
    happen(known->second, shape_.owned);
}

void Space::sort() {
    for (const std::vector<u32>& group : shape_.groups) {
        std::vector<u32> ranks = group, nodes = next_;
        std::stable_sort(ranks.begin(), ranks.end(), [&](u32 one, u32 other) { return nodes[one] < nodes[other]; });
        if (ranks == group) continue;
        for (std::size_t at = 0; at < group.size(); at++) next_[group[at]] = nodes[ranks[at]];
        if (shape_.owned.empty()) continue;
        std::vector<u32> way = group;
        way.insert(way.end(), ranks.begin(), ranks.end());
        way.push_back(NONE);  // no rotation
        auto known = renamings_.find(way);
        if (known == renamings_.end()) {
            Ref from(tuple_of(group, group.size())), to(tuple_of(ranks, ranks.size()));
            const u32 event = to_u32(ask_successors("permutation", "(OO)", from.get(), to.get()).get());
            known = renamings_.emplace(way, event).first;
        }
        happen(known->second, shape_.owned);
    }
}

// What Python knows

const Node& Space::node(u32 number) {
    if (number >= nodes_.size()) learn_nodes();
    if (number < nodes_.size()) return nodes_[number];
    PyErr_SetString(PyExc_IndexError, "no such node");
    throw Failed();
}

void Space::learn_nodes() {
    Ref more = ask_successors("nodes_from", "(n)", static_cast<Py_ssize_t>(nodes_.size()));
    for (std::size_t at = 0; at < length(more.get()); at++) {
        PyObject* one = item(more.get(), at);
        nodes_.add(Node{number_at(one, 0), static_cast<u8>(number_at(one, 1))});
        if (nodes_.back().resource != NONE && nodes_.back().resource >= shape_.resources) {
            PyErr_SetString(PyExc_IndexError, "no such resource");
            throw Failed();
        }
    }
}

const Edge& Space::edge(u32 number) {
    if (number >= edges_known.size()) learn_edges();
    if (number < edges_known.size()) return edges_known[number];
    PyErr_SetString(PyExc_IndexError, "no such edge");
    throw Failed();
}

void Space::learn_edges() {
    Ref more = ask_successors("edges_from", "(n)", static_cast<Py_ssize_t>(edges_known.size()));
    for (std::size_t at = 0; at < length(more.get()); at++) {
        PyObject* one = item(more.get(), at);
        edges_known.add(Edge{to_u64(item(one, 0)), to_u64(item(one, 1)), static_cast<u8>(number_at(one, 2)),
                             static_cast<u8>(number_at(one, 3)), false});
    }
}

u32 Space::pay(u32 price, u32 left) {
    if (!price) return left;
    if (price == NONE || !left) return NONE;
    while (paid_.size() <= price) paid_.emplace_back();
    while (paid_[price].size() <= left) paid_[price].add(UNKNOWN);
    if (paid_[price][left] == UNKNOWN) {
        const u32 rest = to_u32(ask_successors("pay", "(II)", price, left).get());
        paid_[price][left] = rest;
    }
    return paid_[price][left];
}

u32 Space::kinds_on(u32 left) {
    while (kinds_on_.size() <= left) kinds_on_.add(UNKNOWN);
    if (kinds_on_[left] == UNKNOWN) kinds_on_[left] = to_u32(ask_successors("kinds_on", "(I)", left).get());
    return kinds_on_[left];
}

}  // namespace midflight
