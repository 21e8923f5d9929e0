// The states of a system, by number, what can happen in each, and the two searches. Python is asked only for what is
// new: see simlib/check/core_successors.py, whose names are used here, and simlib/check/successors.py, which this
// follows step by step.
#pragma once

#include <map>
#include <vector>

#include "arrays.hpp"

namespace midflight {

// As in simlib/check/edges.py
inline constexpr u8 NOBODY = 26, EVERYBODY = 27;
inline constexpr u64 FAULT = u64(1) << 56, PREEMPTION = u64(1) << 36, STEP = u64(1) << 12;
inline constexpr u64 NEVER = ~u64(0);  // above any cost
inline constexpr u32 LOOK_EVERY = 500, TICK = 256;

struct Edge {
    enum : u8 { STEPS = 1, OVER = 2, IS_FAULT = 4, STRIKES = 8 };
    u64 price, cost;
    u8 worker, flags;
    bool struck;  // it was possible in some state, with something left of the budget
};

struct Node {
    enum : u8 { ASLEEP = 1, BUG = 2, RUNNING = 4 };
    u32 resource;  // NONE at an end
    u8 flags;
};

struct Step {
    u32 price, goes_to, number, edge;
};

struct Timer {
    u32 owned, number, passing, price, free, early;  // passing: the event of the time that passes, or NONE
};

struct Kind {  // of what strikes from outside
    u32 index, power_loss, told, started;
};

struct Label {  // one way in which a state was reached; see simlib/check/shortest.py
    u64 cost;
    u32 state, before, edge, next;  // next: another one that was followed, of the same state
    u8 last;
};

class Space {
public:
    struct Shape {
        u32 workers, resources;
        bool shared, symmetric, restricted;
        std::vector<u32> owning, owned, clocks, claimed, low, high, last;
        std::vector<std::vector<u32>> groups;
        std::vector<Kind> kinds;
    };

    Space(Shape shape, PyObject* timed);
    Space(const Space&) = delete;
    Space& operator=(const Space&) = delete;
    ~Space() { Py_DECREF(timed_list_); }

    // One call from Python at a time; `successors` is asked for what is new meanwhile.
    class Asking {
    public:
        Asking(Space& space, PyObject* successors, PyObject* search);  // throws Failed if one is going on
        ~Asking() { space_.successors_ = space_.search_ = nullptr; }
        Asking(const Asking&) = delete;
        Asking& operator=(const Asking&) = delete;

    private:
        Space& space_;
    };

    u32 add(const std::vector<u32>& row);
    bool reach(u32 first, u64 most);     // whether it came to the end
    bool shortest(u32 first, u64 most);  // the same
    void follow(u32 state);              // what can happen: targets, edges, able, rests

    // Graph
    bool schedules(std::vector<u64>& number) const;  // false: without number
    std::vector<std::vector<u32>> circles(u64 below);

    Rows states;
    Array<Edge> edges_known;
    Array<u32> targets, edges;  // of the state that was followed last
    u64 able = 0;
    bool rests = false;
    u64 visited = 0, transitions = 0, able_ever = 0, bucket = 0;
    // By state, how a search came to it
    Array<u64> cheapest;
    Array<u32> before, how;
    Array<Label> labels;
    Array<u32> first_label;

private:
    // Steps, timers, strikes; in the order of `Successors.of`
    bool somebody_sleeps();
    void ask_for_everything();
    void steps(u32 worker);
    u32 steps_at(u32 worker, u32 node, u32 number);
    void timers();
    u32 timers_at(u32 resource, u32 number);
    void strikes();
    void strike(const Kind& kind, u32 worker);
    u32 ending_at(u32 kind, u32 worker, u32 node);
    void power_losses();
    u32 worlds_after_power_loss();
    u32 restarted(u32 worker, u32 node);
    void keep_allowed();
    void start_after(u32 left);
    void arrive(u32 worker, u32 goes_to, u32 edge);
    void reached(u32 edge);

    // Events
    u32 after(u32 event, u32 resource, u32 number);
    void happen(u32 event, const std::vector<u32>& resources);
    void minding(u32 event);
    u32 gone(u32 worker) const { return 3 * worker; }
    u32 fell_asleep(u32 worker) const { return 3 * worker + 1; }
    u32 cancelled(u32 worker) const { return 3 * worker + 2; }

    // Symmetry
    bool out_of_order(u32 worker, u32 goes_to) const;
    void overtake(u32 worker, u32 goes_to);
    void sort();

    // What Python knows
    const Node& node(u32 number);
    const Edge& edge(u32 number);
    void learn_nodes();
    void learn_edges();
    u32 pay(u32 price, u32 left);  // what is left then; NONE if it cannot be paid
    u32 kinds_on(u32 left);
    void look_at_timed();

    // Searches
    void make_room();
    bool enter(u32 state, u32 where);
    bool is_wrong(u32 state, u32 where);
    bool is_wrong_at_rest(u32 state, u32 where);
    bool told_to_stop(u64 most);
    void visit(u32 state, std::map<u64, Array<u32>>& waiting);
    bool continue_from(u32 label, std::map<u64, Array<u32>>& waiting);
    bool is_beaten(u32 state, u8 last, u64 cost) const;
    static u8 turn(const Edge& edge, u8 last);
    void free_edges(u64 below, Array<u32>& targets, Array<u64>& begins);

    template <class... Args>
    Ref ask_successors(const char* method, const char* format, Args... args) {
        asked_ = true;
        return call(successors_, method, format, args...);
    }
    template <class... Args>
    Ref ask_search(const char* method, const char* format, Args... args) {
        asked_ = true;
        return call(search_, method, format, args...);
    }

    Shape shape_;
    u32 width_;                    // of a state: the workers' nodes, the resources' states, what is left of the budget
    PyObject* timed_list_;         // the resources in which a timer has run: it grows
    std::vector<u32> timed_;
    PyObject* successors_ = nullptr;
    PyObject* search_ = nullptr;
    bool asked_ = true;            // Python was, since it last looked
    bool found_ = false;
    bool samples_ = false;         // every run that goes well is asked for
    bool keeps_edges_ = false;

    std::vector<u32> here_, next_, key_, minding_;
    Array<Node> nodes_;
    Rows step_keys_{4}, timer_keys_{3}, ending_keys_{4}, event_keys_{3}, restart_keys_{2}, power_keys_, claim_keys_,
        rest_keys_;
    Array<u32> step_begins_, timer_begins_, power_begins_;
    Array<Step> steps_;
    Array<u8> step_able_;
    Array<Timer> timers_;
    Array<Step> endings_;          // goes_to is NONE where it cannot happen
    Array<u32> event_numbers_, restart_nodes_, power_worlds_, power_edges_, power_prices_, kinds_on_;
    std::vector<Array<u32>> paid_;  // by price, by what is left before
    std::map<std::vector<u32>, u32> renamings_;

    Array<u8> turns_;
    Array<u64> graph_begins_;
    Array<u32> graph_degrees_, graph_, graph_edges_, able_in_, resting_;
};

}  // namespace midflight
