// The two searches: simlib/check/reachability.py and simlib/check/shortest.py, loop by loop.
#include "space.hpp"

namespace midflight {

// What both share: see simlib/check/search.py

void Space::make_room() {
    const std::size_t size = states.size();
    if (graph_begins_.size() >= size) return;
    cheapest.resize(size, NEVER);
    before.resize(size, NONE);
    how.resize(size, NONE);
    turns_.resize(size, NOBODY);
    graph_begins_.resize(size, 0);
    graph_degrees_.resize(size, 0);
    if (keeps_edges_) {
        able_in_.resize(size, 0);
        first_label.resize(size, NONE);
    }
}

// Check a state that is new, and compute what can happen in it. Whether nothing is wrong.
bool Space::enter(u32 state, u32 where) {
    visited++;
    if (is_wrong(state, where)) return false;
    follow(state);
    if (asked_) ask_search("learned", "()");
    able_ever |= able;
    transitions += targets.size();
    make_room();
    graph_begins_[state] = graph_.size();
    graph_degrees_[state] = static_cast<u32>(targets.size());
    graph_.add(targets.begin(), targets.size());
    if (keeps_edges_) {
        graph_edges_.add(edges.begin(), edges.size());
        able_in_[state] = static_cast<u32>(able);
    }
    if (!rests) return true;
    resting_.add(state);
    return !is_wrong_at_rest(state, where);
}

bool Space::is_wrong(u32 state, u32 where) {
    const u32* row = states.row(state);
    bool ask = false;
    for (u32 worker = 0; worker < shape_.workers; worker++) ask = ask || node(row[worker]).flags & Node::BUG;
    for (std::size_t at = 0; at < shape_.claimed.size(); at++) key_[at] = row[shape_.workers + shape_.claimed[at]];
    if (shape_.claimed.empty()) key_[0] = 0;
    if (claim_keys_.find(key_.data()) == NONE) {
        claim_keys_.number(key_.data());
        ask = true;
    }
    if (ask) found_ = to_bool(ask_search("judge", "(II)", state, where).get());
    return found_;
}

// At rest it makes no difference where those are who have come to an end, nor what is left of the budget.
bool Space::is_wrong_at_rest(u32 state, u32 where) {
    std::copy_n(states.row(state), width_ - 1, key_.begin());
    for (u32 worker = 0; worker < shape_.workers; worker++)
        if (node(key_[worker]).resource == NONE) key_[worker] = NONE;
    const bool known = rest_keys_.find(key_.data()) != NONE;
    if (known && !samples_) return false;
    if (!known) rest_keys_.number(key_.data());
    const Ref more = ask_search("rest", "(II)", state, where);
    found_ = to_bool(item(more.get(), 0));
    samples_ = to_bool(item(more.get(), 1));
    return found_;
}

// Python looks now and then, and at once when it was asked, since it may have learned that there is no end.
bool Space::told_to_stop(u64 most) {
    if (found_) return true;
    if (!asked_ && visited % TICK && !(visited >= most && states.size() > most)) return false;
    const bool stop = to_bool(ask_search("look", "(K)", static_cast<unsigned long long>(visited)).get());
    asked_ = false;
    return stop;
}

u8 Space::turn(const Edge& edge, u8 last) {
    if (edge.flags & Edge::STEPS) return edge.flags & Edge::OVER ? NOBODY : edge.worker;
    return edge.flags & Edge::OVER && (edge.worker == last || edge.worker == EVERYBODY) ? NOBODY : last;
}

// Reachability

bool Space::reach(u32 first, u64 most) {
    make_room();
    cheapest[first] = 0;
    turns_[first] = NOBODY;
    std::map<u64, Array<u32>> waiting;  // by cost; within it, those whose newest move is a fault come last
    waiting[0].add(first);
    while (!waiting.empty()) {
        bucket = waiting.begin()->first;
        Array<u32> here = std::move(waiting.begin()->second);
        waiting.erase(waiting.begin());
        for (const u32 state : here) {
            if (cheapest[state] != bucket) continue;  // reached for less meanwhile
            visit(state, waiting);
            if (told_to_stop(most)) return false;
        }
    }
    return true;
}

void Space::visit(u32 state, std::map<u64, Array<u32>>& waiting) {
    const bool fine = enter(state, state);
    const u64 steps = (bucket >> 1) % PREEMPTION / STEP;
    if (steps && steps % LOOK_EVERY == 0) ask_search("endless", "(II)", state, state);
    if (!fine) return;
    const u8 last = turns_[state];
    const u64 so_far = bucket & ~u64(1);
    const bool overtakes = able >> last & 1;
    for (std::size_t at = 0; at < targets.size(); at++) {
        const u32 target = targets[at];
        if (cheapest[target] <= bucket) continue;
        const Edge& edge = edges_known[edges[at]];
        u64 into = so_far + edge.price;
        if (overtakes && edge.flags & Edge::STEPS && edge.worker != last) into += 2 * PREEMPTION;
        if (into >= cheapest[target]) continue;
        cheapest[target] = into;
        before[target] = state;
        how[target] = edges[at];
        turns_[target] = turn(edge, last);
        waiting[into].add(target);
    }
}

// Shortest

bool Space::shortest(u32 first, u64 most) {
    keeps_edges_ = samples_ = true;
    make_room();
    labels.add(Label{0, first, NONE, NONE, NONE, NOBODY});
    std::map<u64, Array<u32>> waiting;  // by cost; within it, those whose newest move is a fault come last
    waiting[0].add(0);
    while (!waiting.empty()) {
        bucket = waiting.begin()->first;
        Array<u32> here = std::move(waiting.begin()->second);
        waiting.erase(waiting.begin());
        for (const u32 label : here) {
            if (!continue_from(label, waiting)) continue;
            const u64 steps = labels[label].cost % PREEMPTION / STEP;
            if (steps && steps % LOOK_EVERY == 0) ask_search("endless", "(II)", labels[label].state, label);
            if (told_to_stop(most)) return false;
        }
    }
    return true;
}

// Continue from a label, unless an earlier one of its state can do all that it can, as cheaply.
bool Space::continue_from(u32 label, std::map<u64, Array<u32>>& waiting) {
    const u32 state = labels[label].state;
    const u8 last = labels[label].last;
    const u64 so_far = labels[label].cost;
    const bool is_first = first_label[state] == NONE;
    if (is_first) {
        first_label[state] = label;
        if (!enter(state, label)) return true;
    } else if (is_beaten(state, last, so_far)) {
        return false;
    } else {
        Label& head = labels[first_label[state]];
        labels[label].next = head.next;
        head.next = label;
    }
    const bool could_go_on = able_in_[state] >> last & 1;
    const u64 begin = graph_begins_[state];
    for (u64 at = begin; at < begin + graph_degrees_[state]; at++) {
        const u32 target = graph_[at];
        const Edge& edge = edges_known[graph_edges_[at]];
        u64 cost = so_far + edge.cost;
        if (could_go_on && edge.flags & Edge::STEPS && edge.worker != last) {
            if (!is_first) continue;  // the state's first label took this step at no higher cost
            cost += PREEMPTION;
        }
        const u8 whose = turn(edge, last);
        if (is_beaten(target, whose, cost)) continue;
        waiting[2 * cost + (edge.price & 1)].add(static_cast<u32>(labels.size()));
        if (labels.size() >= NONE) throw std::bad_alloc();
        labels.add(Label{cost, target, label, graph_edges_[at], NONE, whose});
    }
    return true;
}

// Whether whatever continues a label with this turn and cost also continues a known one of its state, for no more.
bool Space::is_beaten(u32 state, u8 last, u64 cost) const {
    for (u32 at = first_label[state]; at != NONE; at = labels[at].next) {
        const Label& one = labels[at];
        if (one.last == last || one.last == NOBODY) return true;
        if (cost >= one.cost && cost - one.cost >= PREEMPTION) return true;
    }
    return false;
}

}  // namespace midflight
