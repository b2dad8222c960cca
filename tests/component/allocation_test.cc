// In steady state a request costs no allocation. Counted in this process: operator new and malloc
// of all threads, while client and origin allocate nothing themselves.
#include <poll.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/base64.h"
#include "hangu/base/sanitizer.h"
#include "hangu/codec/http2/frame_writer.h"
#include "hangu/codec/http2/hpack.h"
#include "hangu/config/load.h"
#include "hangu/identity/oidc_session.h"
#include "hangu/identity/sealer.h"
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

constexpr std::string_view kPolicedRequest =
    "GET /policed/path?q=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test/1.0\r\n"
    "Accept: */*\r\nX-Tenant: one\r\nX-Internal: 1\r\n\r\n";

constexpr std::string_view kSessionSecret = "0123456789abcdef0123456789abcdef";

/// Of somebody who has logged in a moment ago.
std::string session_request() {
  const int64_t now_s = std::time(nullptr);
  const std::string payload =
      R"({"iss":"https://id.example.org","sub":"ann","groups":["staff"],"sid":"s1","email":"a@b"})";
  const identity::OidcSession session{.created_s = now_s,
                                      .used_s = now_s,
                                      .id_token = "e30." + encode_base64url(payload) + ".AAAA",
                                      .access_token = std::string(600, 'a'),
                                      .scopes = "openid email"};
  const std::vector<std::string> secrets = {std::string(kSessionSecret)};
  const identity::Sealer sealer(
      secrets, identity::sealing_purpose("session", {.authenticator = "web",
                                                     .issuer = "https://id.example.org",
                                                     .client_id = "gateway"}));
  return fmt::format(
      "GET /private/path HTTP/1.1\r\nHost: example.org\r\nAccept: text/html\r\n"
      "Cookie: a=b; hangu-web=1.{}; c=d\r\n\r\n",
      sealer.seal(identity::to_bytes(session)));
}

/// `everything` is a plain route; /policed has ten rate limits, a circuit breaker, edits of
/// headers; /private is for people who have logged in.
std::string config_text(uint16_t origin_port, config::EventLoopKind loop) {
  return fmt::format(
      R"(
version: 1
workers: 1
pin_workers: false
event_loop: {loop}
listeners: [{{name: http, bind: "127.0.0.1:0"}}]
access_log: {{path: /dev/null}}
upstreams:
  - {{name: origin, endpoints: ["127.0.0.1:{port}"]}}
  - {{name: guarded, endpoints: ["127.0.0.1:{port}"], circuit_breaker: {{}}}}
rate_limits:
  - {{name: limit-0, rate: 1000000000/s, key: [client_ip]}}
  - {{name: limit-1, rate: 1000000000/s, key: [client_ip, host]}}
  - {{name: limit-2, rate: 1000000000/s, key: [client_ip, method]}}
  - {{name: limit-3, rate: 1000000000/s, key: [client_ip, path]}}
  - {{name: limit-4, rate: 1000000000/s, key: [client_ip, route]}}
  - {{name: limit-5, rate: 1000000000/s, key: [host]}}
  - {{name: limit-6, rate: 1000000000/s, key: [path]}}
  - {{name: limit-7, rate: 1000000000/s, key: [route]}}
  - {{name: limit-8, rate: 1000000000/s, key: ["header:user-agent"]}}
  - {{name: limit-9, rate: 1000000000/s, key: ["header:x-tenant"]}}
authenticators:
  - name: web
    oidc:
      issuer: https://id.example.org
      upstream: origin
      client_id: gateway
      authorization_endpoint: https://id.example.org/authorize
      token_path: /token
      jwks_file: /dev/null
      secrets: ["{secret}"]
      forward_access_token: on
      claim_headers: [{{claim: email, header: x-email}}]
routes:
  - name: private
    match: {{path: {{prefix: /private}}}}
    upstream: origin
    authentication: {{any: [web]}}
    authorization: {{allow: [{{id: staff, groups: [staff], scopes: [email]}}]}}
  - name: policed
    match: {{path: {{prefix: /policed}}}}
    upstream: guarded
    rate_limits: [limit-0, limit-1, limit-2, limit-3, limit-4,
                  limit-5, limit-6, limit-7, limit-8, limit-9]
    request_headers: {{set: {{x-gateway: test, x-zone: a}}, remove: [x-internal]}}
    response_headers: {{set: {{x-served-by: test}}, remove: [x-powered-by]}}
  - name: everything
    upstream: origin
    response_headers: {{set: {{x-served-by: hangu}}}}
)",
      fmt::arg("port", origin_port), fmt::arg("secret", kSessionSecret),
      fmt::arg("loop", loop == config::EventLoopKind::kEpoll ? "epoll" : "io_uring"));
}

std::shared_ptr<const config::Config> config_for(uint16_t origin_port, config::EventLoopKind loop) {
  config::LoadResult loaded = config::load_text(config_text(origin_port, loop), "test.yaml");
  EXPECT_TRUE(loaded.ok()) << testing::PrintToString(loaded.error_count());
  loaded.config->generation = 1;
  return std::make_shared<const config::Config>(std::move(*loaded.config));
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

  /// One request and its whole response, which ends so and is no longer than 8 KiB; empty when that
  /// does not come. The view lives until the next call.
  std::string_view exchange(std::string_view request, std::string_view body_end) {
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      return {};
    }
    size_t held = 0;
    while (!std::string_view(buffer_, held).ends_with(body_end)) {
      pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
      constexpr int kPatienceMs = 10'000;
      if (::poll(&ready, 1, kPatienceMs) != 1) {
        return {};
      }
      const ssize_t got = ::recv(socket_, buffer_ + held, sizeof buffer_ - held, 0);
      if (got <= 0) {
        return {};
      }
      held += static_cast<size_t>(got);
    }
    return {buffer_, held};
  }

 private:
  int socket_;
  char buffer_[8192];
};

/// A request of HTTP/2, again and again: the same bytes, but for the number of the stream.
class Http2Request {
 public:
  Http2Request() {
    using codec::http2::HpackEncoder;
    const std::pair<std::string_view, std::string_view> fields[] = {
        {":method", "GET"},     {":scheme", "http"},        {":authority", "example.org"},
        {":path", "/path?q=1"}, {"user-agent", "test/1.0"}, {"cookie", "a=b"}};
    HpackEncoder encoder;
    std::string block;
    for (const auto& [name, value] : fields) {
      char field[128];
      block.append(field, encoder.encode(field, name, value, HpackEncoder::Indexing::kNever));
    }
    bytes_.resize(codec::http2::kWindowUpdateBytes + codec::http2::kFrameHeaderBytes);
    bytes_ += block;
    block_bytes_ = static_cast<uint32_t>(block.size());
  }

  static std::string preface() {
    std::string bytes(codec::http2::kClientPreface);
    bytes.resize(bytes.size() + codec::http2::settings_bytes(0));
    codec::http2::write_settings(bytes.data() + codec::http2::kClientPreface.size(), {});
    return bytes;
  }

  /// With the credit for the response before.
  std::string_view next(uint32_t received_bytes) {
    codec::http2::write_window_update(bytes_.data(), 0, received_bytes);
    codec::http2::write_frame_header(
        bytes_.data() + codec::http2::kWindowUpdateBytes,
        {.length = block_bytes_,
         .type = codec::http2::FrameType::kHeaders,
         .flags = codec::http2::kFlagEndHeaders | codec::http2::kFlagEndStream,
         .stream_id = stream_});
    stream_ += 2;
    return bytes_;
  }

 private:
  std::string bytes_;
  uint32_t block_bytes_ = 0;
  uint32_t stream_ = 1;
};

class Allocation : public testing::TestWithParam<config::EventLoopKind> {
 protected:
  static constexpr size_t kBodyBytes = 1024;
  static constexpr int kWarmUp = 2000;
  static constexpr int kMeasured = 5000;

  Allocation()
      : origin_("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" +
                std::string(kBodyBytes - 3, 'x') + "END") {
    auto gateway = Gateway::start(config_for(origin_.port(), GetParam()), {}, {});
    EXPECT_TRUE(gateway.has_value()) << gateway.error();
    gateway_ = std::move(*gateway);
  }

  net::Address address() const {
    return *net::Address::parse(gateway_->status().listeners[0].address);
  }

  /// `exchange()`: one request; whether it went well.
  template <class Exchange>
  void expect_none(Exchange exchange) {
    for (int i = 0; i < kWarmUp; ++i) {
      ASSERT_TRUE(exchange());
    }
    counting = true;
    bool all_good = true;
    for (int i = 0; i < kMeasured; ++i) {
      all_good = exchange() && all_good;
    }
    counting = false;
    EXPECT_TRUE(all_good);
    EXPECT_EQ(allocations.exchange(0), 0U) << "in " << kMeasured << " requests";
  }

  test::LoopbackOrigin origin_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_P(Allocation, NonePerRequestInSteadyState) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  Client client(address());
  expect_none([&] { return client.exchange(kRequest, "END").starts_with("HTTP/1.1 200 "); });
}

TEST_P(Allocation, NonePerRequestOfHttp2) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  Client client(address());
  Http2Request request;
  const std::string begin = Http2Request::preface() + std::string(request.next(1));
  ASSERT_FALSE(client.exchange(begin, "END").empty());
  expect_none([&] { return client.exchange(request.next(kBodyBytes), "END").size() > kBodyBytes; });
}

TEST_P(Allocation, NonePerRequestWithPolicies) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  Client client(address());
  expect_none([&] {
    const std::string_view response = client.exchange(kPolicedRequest, "END");
    return response.starts_with("HTTP/1.1 200 ") &&
           response.find("x-served-by: test") != response.npos;
  });
}

TEST_P(Allocation, NonePerRequestOfASession) {
#ifndef HANGU_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  Client client(address());
  const std::string request = session_request();
  expect_none([&] { return client.exchange(request, "END").starts_with("HTTP/1.1 200 "); });
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
