"""GatewayCase: what most test classes derive from: one origin and one gateway a class."""

import threading
import unittest

from support.gateway import Gateway, make_config
from support.origin import Origin


class GatewayCase(unittest.TestCase):
    origin = None
    gateway = None

    @classmethod
    def config(cls, origin):
        """The config of the class's gateway."""
        return make_config(origin)

    @classmethod
    def make_origin(cls):
        return Origin()

    @classmethod
    def setUpClass(cls):
        cls.origin = cls.make_origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.gateway = Gateway(cls.config(cls.origin))
        cls.addClassCleanup(cls.gateway.stop)

    def setUp(self):
        self.origin.clear()
        self.addCleanup(self.gateway.close_clients)

    def client(self, listener="web", **options):
        return self.gateway.client(listener, **options)

    def start(self, config, **options):
        """A gateway for this one test."""
        gateway = Gateway(config, **options)
        self.addCleanup(gateway.stop)
        return gateway

    def start_origin(self, **options):
        origin = Origin(**options)
        self.addCleanup(origin.stop)
        return origin

    def held_back(self):
        """The origin answers /held only once the event is set."""
        go = threading.Event()
        self.addCleanup(go.set)

        def script(exchange):
            go.wait(20)
            exchange.reply(200, body=b"held")
        self.origin.on("/held", script)
        return go

    def ask(self, *arguments, **options):
        """One request on a connection of its own."""
        return self.client().request(*arguments, **options)

    def assert_problem(self, response, status, code):
        """A reply of the gateway's own, with the machine-readable code."""
        self.assertEqual(response.status, status, response.body)
        self.assertEqual(response.header("content-type"), "application/problem+json")
        problem = response.json()
        self.assertEqual(problem["code"], code, problem)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["request_id"])
        self.assertEqual(problem["request_id"], response.header("x-request-id"))
        if status in (503, 429):
            self.assertGreaterEqual(int(response.header("retry-after")), 1)
        return problem
