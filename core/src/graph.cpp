// The graph of states: simlib/check/graph.py, on what a search has kept.
#include "space.hpp"

namespace midflight {

namespace {

// Numbers of one width, with an end: adding says whether it did not fit.
class Wide {
public:
    Wide(std::size_t count, std::size_t limbs) : limbs_(limbs) { all_.resize(count * limbs, 0); }

    u64* operator[](std::size_t at) { return &all_[at * limbs_]; }

    bool add(u64* to, const u64* more) const {
        u64 carry = 0;
        for (std::size_t limb = 0; limb < limbs_; limb++) {
            const u64 sum = to[limb] + more[limb], both = sum + carry;
            carry = u64(sum < more[limb]) | u64(both < sum);
            to[limb] = both;
        }
        return carry == 0;
    }

private:
    std::size_t limbs_;
    Array<u64> all_;
};

}  // namespace

// The number of paths from state 0 to a state where the system rests, in 64-bit limbs, the lowest first.
bool Space::schedules(std::vector<u64>& number) const {
    const u32 count = states.size();
    Array<u32> all_unmet, ready;
    all_unmet.resize(count, 0);
    for (std::size_t at = 0; at < graph_.size(); at++) all_unmet[graph_[at]]++;
    for (std::size_t limbs = 1;; limbs *= 2) {
        Array<u32> unmet;
        unmet.add(&all_unmet[0], count);
        Wide paths(count, limbs);
        paths[0][0] = 1;
        u32 passed = 0;
        bool fits = true;
        ready.clear();
        for (u32 state = 0; state < count; state++)
            if (!unmet[state]) ready.add(state);
        while (ready.size() && fits) {
            const u32 state = ready.back();
            ready.pop();
            passed++;
            const u64 begin = graph_begins_[state], end = begin + graph_degrees_[state];
            for (u64 at = begin; at < end; at++) {
                fits = paths.add(paths[graph_[at]], paths[state]) && fits;
                if (--unmet[graph_[at]] == 0) ready.add(graph_[at]);
            }
        }
        if (fits && passed < count) return false;
        number.assign(limbs, 0);
        for (std::size_t at = 0; at < resting_.size() && fits; at++)
            fits = paths.add(number.data(), paths[resting_[at]]);
        if (fits) return true;
    }
}

// Where each state that was reached for less than this leads without a fault.
void Space::free_edges(u64 below, Array<u32>& to, Array<u64>& begins) {
    const u32 count = states.size();
    begins.add(0);
    for (u32 state = 0; state < count; state++) {
        u64 cost = NEVER;
        if (!keeps_edges_)
            cost = cheapest[state];
        else if (first_label[state] != NONE)
            cost = labels[first_label[state]].cost;
        if (cost < below) {
            follow(state);
            for (std::size_t at = 0; at < targets.size(); at++)
                if (!(edges_known[edges[at]].flags & Edge::IS_FAULT)) to.add(targets[at]);
        }
        begins.add(to.size());
    }
    if (states.size() == count) return;
    PyErr_SetString(PyExc_RuntimeError, "a state that was visited leads to a new one");
    throw Failed();
}

// The sets of states that a system never leaves once it is in, looping in them forever (Tarjan 1972).
std::vector<std::vector<u32>> Space::circles(u64 below) {
    Array<u32> to, index, low, component, stack;
    Array<u64> begins;
    free_edges(below, to, begins);
    const u32 count = static_cast<u32>(begins.size() - 1);
    index.resize(count, NONE);
    low.resize(count, NONE);
    component.resize(count, NONE);
    std::vector<std::vector<u32>> found;
    Array<u32> work;
    Array<u64> work_edges;
    u32 numbered = 0, components = 0;
    for (u32 first = 0; first < count; first++) {
        if (index[first] != NONE) continue;
        work.add(first);
        work_edges.add(0);
        while (work.size()) {
            const u32 state = work.back();
            const u64 edge = work_edges.back();
            work.pop();
            work_edges.pop();
            if (edge == 0) {
                index[state] = low[state] = numbered++;
                stack.add(state);
            }
            if (edge < begins[state + 1] - begins[state]) {
                work.add(state);
                work_edges.add(edge + 1);
                const u32 after = to[begins[state] + edge];
                if (index[after] == NONE) {
                    work.add(after);
                    work_edges.add(0);
                } else if (component[after] == NONE) {
                    low[state] = std::min(low[state], index[after]);
                }
                continue;
            }
            if (low[state] == index[state]) {
                std::size_t place = stack.size() - 1;
                while (stack[place] != state) place--;
                bool leads_on = false, leads_out = false;
                for (std::size_t at = place; at < stack.size(); at++) component[stack[at]] = components;
                for (std::size_t at = place; at < stack.size(); at++)
                    for (u64 one = begins[stack[at]]; one < begins[stack[at] + 1]; one++) {
                        leads_on = true;
                        leads_out = leads_out || component[to[one]] != components;
                    }
                if (leads_on && !leads_out) found.emplace_back(stack.begin() + place, stack.end());
                stack.resize(place, 0);
                components++;
            }
            if (work.size()) low[work.back()] = std::min(low[work.back()], low[state]);
        }
    }
    return found;
}

}  // namespace midflight
