// In steady state a request costs no allocation. Counted in this process: operator new and malloc
// of all threads, while client and origin allocate nothing themselves.
#include <poll.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/sanitizer.h"
#include "hangu/server/gateway.h"

#include "tests/component/loopback_origin.h"

// The C library's own entry points, which our counting ones call.
extern "C" {
void* __libc_malloc(size_t size);                // NOLINT
void* __libc_calloc(size_t count, size_t size);  // NOLINT
void* __libc_realloc(void* old, size_t size);    // NOLINT
}

namespace {

std::atomic<bool> counting{false};
std::atomic<uint64_t> allocations{0};

[[maybe_unused]] void count() {
  if (counting.load(std::memory_order_relaxed)) {
    allocations.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

#if !HANGU_ASAN && !HANGU_TSAN
#define HANGU_COUNTS_ALLOCATIONS 1

extern "C" void* malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

extern "C" void* calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

extern "C" void* realloc(void* old, size_t size) {
  count();
  return __libc_realloc(old, size);
}
#endif

namespace hangu::server {
namespace {

constexpr std::string_view kRequest =
    "GET /some/path?q=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test/1.0\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\n\r\n";

std::shared_ptr<config::Config> config_for(uint16_t origin_port, config::EventLoopKind loop) {
  auto config = std::make_shared<config::Config>();
  config->generation = 1;
  config->workers = 1;
  config->pin_workers = false;
  config->event_loop = loop;
  config->listeners.push_back({.name = "http", .bind = {"127.0.0.1:0"}});
  config->upstreams.push_back(
      {.name = "origin",
       .endpoints = {{.host = "127.0.0.1", .port = origin_port, .unix_path = {}}}});
  config::Route route;
  route.name = "all";
  route.match.path_prefix = "/";
  route.response_headers.set.push_back({.name = "x-served-by", .value = "hangu", .secret = false});
  config->routes.push_back(route);
  config->access_log.enabled = true;
  config->access_log.path = "/dev/null";
  return config;
}

/// A client that allocates nothing.
class Client {
 public:
  explicit Client(const net::Address& address)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    EXPECT_EQ(::connect(socket_, address.data(), address.size()), 0);
  }

  ~Client() { ::close(socket_); }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// One request and its whole response; false when it is not what the origin sends.
  bool exchange(std::string_view body_end) {
    if (::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
      return false;
    }
    char buffer[8192];
    size_t held = 0;
    while (!std::string_view(buffer, held).ends_with(body_end)) {
      pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
      constexpr int kPatienceMs = 10'000;
      if (::poll(&ready, 1, kPatienceMs) != 1) {
        return false;
      }
      const ssize_t got = ::recv(socket_, buffer + held, sizeof buffer - held, 0);
      if (got <= 0) {
        return false;
      }
      held += static_cast<size_t>(got);
    }
    return std::string_view(buffer, held).starts_with("HTTP/1.1 200 ");
  }

 private:
  int socket_;
};

class Allocation : public testing::TestWithParam<config::EventLoopKind> {};

TEST_P(Allocation, NonePerRequestInSteadyState) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  test::LoopbackOrigin origin(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" +
      std::string(1021, 'x') + "END");
  auto gateway = Gateway::start(config_for(origin.port(), GetParam()), {});
  ASSERT_TRUE(gateway.has_value()) << gateway.error();
  Client client(*net::Address::parse((*gateway)->status().listeners[0].address));
  constexpr int kWarmUp = 2000;
  constexpr int kMeasured = 5000;
  for (int i = 0; i < kWarmUp; ++i) {
    ASSERT_TRUE(client.exchange("END"));
  }
  counting = true;
  bool all_good = true;
  for (int i = 0; i < kMeasured; ++i) {
    all_good = client.exchange("END") && all_good;
  }
  counting = false;
  EXPECT_TRUE(all_good);
  EXPECT_EQ(allocations.exchange(0), 0U) << "in " << kMeasured << " requests";
}

TEST_P(Allocation, CounterWorks) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  counting = true;
  auto* volatile made = new std::string(100, 'x');
  counting = false;
  delete made;
  EXPECT_GE(allocations.exchange(0), 2U);
}

INSTANTIATE_TEST_SUITE_P(Loops, Allocation,
                         testing::Values(config::EventLoopKind::kIoUring,
                                         config::EventLoopKind::kEpoll),
                         [](const auto& instance) {
                           return instance.param == config::EventLoopKind::kEpoll ? "epoll"
                                                                                  : "io_uring";
                         });

}  // namespace
}  // namespace hangu::server
