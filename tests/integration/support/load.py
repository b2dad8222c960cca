"""Load: client threads that send request after request until they are told to stop, and count what
went wrong. A connection that the gateway said it would close is opened anew; any other end is a
failure."""

import threading

from support.client import Client
from support.wait import DEADLINE, eventually
from support.wire import Reset


class Load:
    def __init__(self, address, threads=4, target="/load", may_end=False):
        """`may_end`: a connect that is refused ends the thread and is no failure (drain); nor is a
        new connection that is reset unanswered, which may sit in the kernel's queue between the
        last accept and the close: `never_accepted` counts those."""
        self.address, self.target, self.may_end = address, target, may_end
        self.stopping = threading.Event()
        self.done = [0] * threads
        self.failures = []
        self.never_accepted = 0
        self.threads = [threading.Thread(target=self.run, args=(index,), daemon=True)
                        for index in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, index):
        while not self.stopping.is_set():
            try:
                client = Client(self.address)
            except OSError as error:
                if not self.may_end:
                    self.failures.append(f"connect: {error}")
                return
            before = self.done[index]
            try:
                with client:
                    self.use(client, index)
            except (OSError, AssertionError) as error:
                reset = isinstance(error, (ConnectionResetError, Reset))
                answered = self.done[index] - before
                if self.may_end and reset and answered == 0:
                    self.never_accepted += 1
                else:
                    self.failures.append(f"request {answered} of a connection of thread {index}: "
                                         f"{error!r}")
                return

    def use(self, client, index):
        while not self.stopping.is_set():
            response = client.request("GET", self.target)
            if response.status != 200:
                raise AssertionError(f"status {response.status}: {response.body[:200]}")
            self.done[index] += 1
            if response.closes:
                client.expect_end()
                return

    def count(self):
        return sum(self.done)

    def wait_for_more(self, more=50):
        target = self.count() + more
        eventually(lambda: self.count() >= target or self.failures, f"{more} more requests")

    def stop(self):
        """Ends the load; the failures."""
        self.stopping.set()
        self.join()
        return self.failures

    def join(self):
        for thread in self.threads:
            thread.join(DEADLINE)
            if thread.is_alive():
                self.failures.append("a client thread did not end")
