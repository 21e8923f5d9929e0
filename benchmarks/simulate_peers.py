"""The models of `simulate_models.py` for salabim, ciw and cimba, which are no dependencies: each is given its library.

ciw's models are networks of queues, so it has no crashes that strike at random.
"""

import random
import statistics
from types import SimpleNamespace

from simulate_models import BETWEEN, CYCLE, DOWNTIME, SERVERS, SERVICE, UPTIME, WORK, model


def salabim_models(sim):
    """In the style with `yield`, and without monitors, which nothing else here has."""
    sim.yieldless(False)

    def world():
        return sim.Environment(random_seed=0, trace=False, do_reset=True), random.Random(0)

    @model("queue", "salabim")
    def queue(size):
        env, chance = world()
        desk, stays = sim.Resource("desk", capacity=SERVERS, monitor=False), []

        class Customer(sim.Component):
            def process(self):
                yield self.request(desk)
                yield self.hold(chance.expovariate(1 / SERVICE))
                self.release(desk)
                stays.append(env.now() - self.creation_time())

        class Arrivals(sim.Component):
            def process(self):
                while True:
                    yield self.hold(chance.expovariate(1 / BETWEEN))
                    Customer()

        Arrivals()
        env.run(till=size * BETWEEN)
        return len(stays), statistics.fmean(stays)

    @model("messages", "salabim")
    def messages(size):
        env, _ = world()
        inbox, done = sim.Store("inbox", monitor=False), []

        class Producer(sim.Component):
            def process(self):
                for _ in range(size):
                    yield self.hold(1)
                    yield self.to_store(inbox, sim.Component())

        class Consumer(sim.Component):
            def process(self):
                while len(done) < size:
                    message = yield self.from_store(inbox)
                    yield self.hold(WORK)
                    done.append(message)

        Producer()
        Consumer()
        env.run()
        return len(done), env.now()

    @model("crashes", "salabim")
    def crashes(size):
        env, chance = world()
        seen = SimpleNamespace(crashes=0, rows=0, at_risk=False)

        class Worker(sim.Component):
            def process(self):
                while True:
                    yield self.hold(1)
                    seen.rows, seen.at_risk = seen.rows + 1, True

        class Crasher(sim.Component):
            def process(self):
                while True:
                    yield self.hold(chance.expovariate(1 / UPTIME))
                    if seen.at_risk:
                        seen.crashes, seen.at_risk = seen.crashes + 1, False
                        victim.activate(process="process", delay=DOWNTIME)

        victim = Worker()
        Crasher()
        env.run(till=size * CYCLE)
        return seen.crashes, seen.rows


def ciw_models(ciw):
    def network(between, service, servers):
        return ciw.Simulation(
            ciw.create_network(
                arrival_distributions=[between], service_distributions=[service], number_of_servers=[servers]
            )
        )

    @model("queue", "ciw")
    def queue(size):
        ciw.seed(0)
        desk = network(ciw.dists.Exponential(1 / BETWEEN), ciw.dists.Exponential(1 / SERVICE), SERVERS)
        desk.simulate_until_max_time(size * BETWEEN)
        stays = [record.exit_date - record.arrival_date for record in desk.get_all_records()]
        return len(stays), statistics.fmean(stays)

    @model("messages", "ciw")
    def messages(size):
        line = network(ciw.dists.Deterministic(1), ciw.dists.Deterministic(WORK), 1)
        line.simulate_until_max_customers(size, method="Finish")
        records = line.get_all_records()
        return len(records), max(record.exit_date for record in records)


def cimba_models(cb):
    """Python that is compiled at the first run, which is not timed, for an engine in C."""

    def result(model, duration, *names):
        done = cb.Experiment(model, replications=1, window=cb.Window(duration=duration), seed=1).run()
        return tuple(float(getattr(done[model], name).values.sum()) for name in names)

    class Desk(cb.Model):
        inbox: cb.Container
        done: cb.Output[float]
        mean_waiting: cb.Output[float]

        @cb.on_start
        def begin(self):
            self.done = 0.0

        @cb.process
        def arrivals(self):
            while True:
                cb.hold(cb.random.exponential(BETWEEN))
                self.inbox.put(1)

        @cb.process(copies=SERVERS)
        def server(self):
            while True:
                self.inbox.get(1)
                cb.hold(cb.random.exponential(SERVICE))
                self.done += 1

        @cb.on_end
        def measure(self):
            self.mean_waiting = self.inbox.mean_level()

    @model("queue", "cimba")
    def queue(size):
        done, waiting = result(Desk(), size * BETWEEN, "done", "mean_waiting")
        return done, waiting * BETWEEN + SERVICE  # Little's law

    class Line(cb.Model):
        size: cb.Param[int]
        inbox: cb.Store[int]
        done: cb.Output[float]
        finished: cb.Output[float]

        @cb.on_start
        def begin(self):
            self.done = 0.0

        @cb.process
        def producer(self):
            for number in range(self.size):
                cb.hold(1.0)
                self.inbox.put(number)

        @cb.process
        def consumer(self):
            while self.done < self.size:
                self.inbox.get()
                cb.hold(WORK)
                self.done += 1
                self.finished = cb.now()

    @model("messages", "cimba")
    def messages(size):
        line = Line()
        line.size = size
        return result(line, 10.0 * size, "done", "finished")

    class Fragile(cb.Model):
        crashes: cb.Output[float]
        rows: cb.Output[float]

        @cb.on_start
        def begin(self):
            self.crashes = self.rows = 0.0

        @cb.process
        def worker(self):
            while True:
                cb.hold(1.0)
                self.rows += 1
                cb.this_process().timer_set(cb.random.exponential(UPTIME), 1)
                while cb.hold(1.0) == 0:
                    self.rows += 1
                self.crashes += 1
                cb.hold(DOWNTIME)

    @model("crashes", "cimba")
    def crashes(size):
        return result(Fragile(), size * CYCLE, "crashes", "rows")


PEERS = {"salabim": salabim_models, "ciw": ciw_models, "cimba": cimba_models}
