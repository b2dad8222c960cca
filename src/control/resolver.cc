#include "hangu/control/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include <ares.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/letter_case.h"
#include "hangu/base/log.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

std::string numeric_text(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text,
                sizeof(text));
  } else if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  }
  return text;
}

DnsAnswer answer_from(const ares_addrinfo& info) {
  DnsAnswer answer;
  int ttl = INT32_MAX;
  for (const ares_addrinfo_cname* alias = info.cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
    ttl = std::min(ttl, node->ai_ttl);
    if (std::string text = numeric_text(*node->ai_addr); !text.empty()) {
      answer.addresses.push_back(std::move(text));
    }
  }
  std::sort(answer.addresses.begin(), answer.addresses.end());
  const auto last = std::unique(answer.addresses.begin(), answer.addresses.end());
  answer.addresses.erase(last, answer.addresses.end());
  answer.addresses = keep_reachable(std::move(answer.addresses));
  answer.ttl = std::chrono::seconds(std::max(ttl, 0));
  if (answer.addresses.empty()) {
    answer.error = "the answer holds no address";
  }
  return answer;
}

constexpr int kInternet = 1;
constexpr int kSrv = 33;
constexpr size_t kHeaderBytes = 12;

uint32_t big_endian(std::span<const unsigned char> bytes) {
  uint32_t value = 0;
  for (const unsigned char each : bytes) {
    value = value << 8U | each;
  }
  return value;
}

/// A message of DNS, from its front to its back. c-ares reads SRV records as well, but not their
/// TTL.
class DnsMessage {
 public:
  explicit DnsMessage(std::span<const unsigned char> bytes)
      : bytes_(bytes) {}

  bool good() const { return good_; }

  size_t position() const { return at_; }

  uint32_t number(size_t size) {
    if (!good_ || bytes_.size() - at_ < size) {
      good_ = false;
      return 0;
    }
    const uint32_t value = big_endian(bytes_.subspan(at_, size));
    at_ += size;
    return value;
  }

  void move_to(size_t at) {
    good_ = good_ && at <= bytes_.size();
    at_ = good_ ? at : at_;
  }

  std::string name() {
    char* text = nullptr;
    long taken = 0;  // NOLINT(google-runtime-int): c-ares'
    if (!good_ || at_ >= bytes_.size() ||
        ares_expand_name(bytes_.data() + at_, bytes_.data(), static_cast<int>(bytes_.size()), &text,
                         &taken) != ARES_SUCCESS) {
      good_ = false;
      return "";
    }
    std::string name = lower_case(text);
    ares_free_string(text);
    at_ += static_cast<size_t>(taken);
    return name;
  }

 private:
  std::span<const unsigned char> bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

SrvAnswer read_srv_answer(std::span<const unsigned char> bytes) {
  DnsMessage message(bytes);
  message.move_to(4);
  const uint32_t questions = message.number(2);
  const uint32_t answers = message.number(2);
  message.move_to(kHeaderBytes);
  for (uint32_t i = 0; i < questions && message.good(); ++i) {
    message.name();
    message.number(4);
  }
  SrvAnswer answer;
  uint32_t ttl = INT32_MAX;
  for (uint32_t i = 0; i < answers && message.good(); ++i) {
    message.name();
    const uint32_t type = message.number(2);
    message.number(2);
    const uint32_t record_ttl = message.number(4);
    const uint32_t size = message.number(2);
    const size_t end = message.position() + size;
    if (type == kSrv) {
      SrvRecord record;
      record.priority = static_cast<uint16_t>(message.number(2));
      record.weight = static_cast<uint16_t>(message.number(2));
      record.port = static_cast<uint16_t>(message.number(2));
      record.target = message.name();
      ttl = std::min(ttl, record_ttl);
      if (!record.target.empty() && record.port != 0) {  // else: there is no such service
        answer.records.push_back(std::move(record));
      }
    }
    message.move_to(end);
  }
  if (!message.good()) {
    return {{}, {}, "the answer cannot be read"};
  }
  answer.ttl = std::chrono::seconds(ttl == INT32_MAX ? 0 : ttl);
  std::sort(answer.records.begin(), answer.records.end());
  return answer;
}

// One c-ares channel and the Asio descriptors of its sockets. c-ares owns the sockets.
class CaresResolver final : public Resolver {
 public:
  CaresResolver(asio::io_context& context, ResolverOptions options)
      : context_(context),
        options_(std::move(options)),
        timer_(context) {
    ares_library_init(ARES_LIB_INIT_ALL);
  }

  ~CaresResolver() override {
    close_channel();
    ares_library_cleanup();
  }

  void resolve(const std::string& name, Done done) override {
    if (!is_open()) {
      done(DnsAnswer{{}, {}, std::string(kNotOpen)});
      return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ++in_flight_;
    auto query = std::make_unique<Query>(Query{this, std::move(done)});
    const bool outer = std::exchange(processing_, true);  // the answer may come at once
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &on_answer, query.release());
    processing_ = outer;
    arm_timer();
  }

  void resolve_srv(const std::string& name, SrvDone done) override {
    if (!is_open()) {
      done(SrvAnswer{{}, {}, std::string(kNotOpen)});
      return;
    }
    ++in_flight_;
    auto query = std::make_unique<SrvQuery>(SrvQuery{this, std::move(done)});
    const bool outer = std::exchange(processing_, true);
    ares_query(channel_, name.c_str(), kInternet, kSrv, &on_srv_answer, query.release());
    processing_ = outer;
    arm_timer();
  }

  void reload_system_config() override { stale_ = true; }

 private:
  static constexpr std::string_view kNotOpen = "the resolver cannot be set up";

  struct Query {
    CaresResolver* resolver;
    Done done;
  };

  struct SrvQuery {
    CaresResolver* resolver;
    SrvDone done;
  };

  struct Socket {
    asio::posix::stream_descriptor descriptor;
    uint64_t id;
    bool wants_read = false;
    bool wants_write = false;
    bool waits_read = false;
    bool waits_write = false;
  };

  bool is_open() {
    if (stale_ && in_flight_ == 0 && !processing_) {
      close_channel();
    }
    return channel_ != nullptr || open_channel();
  }

  bool open_channel() {
    ares_options settings{};
    char lookups[] = "fb";
    settings.lookups = lookups;
    settings.timeout = static_cast<int>(
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.query_timeout).count());
    settings.tries = options_.tries;
    settings.sock_state_cb = &on_socket_state;
    settings.sock_state_cb_data = this;
    const int mask =
        ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&channel_, &settings, mask);
    if (status == ARES_SUCCESS && !options_.servers.empty()) {
      status = ares_set_servers_ports_csv(channel_, options_.servers.c_str());
    }
    if (status != ARES_SUCCESS) {
      log::error("dns_resolver_failed error=\"{}\"", ares_strerror(status));
      close_channel();
      return false;
    }
    stale_ = false;
    return true;
  }

  void close_channel() {
    if (channel_ != nullptr) {
      ares_destroy(std::exchange(channel_, nullptr));
    }
    for (auto& [fd, socket] : sockets_) {
      socket.descriptor.release();
    }
    sockets_.clear();
    timer_.cancel();
  }

  static void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<Query> query(static_cast<Query*>(argument));
    DnsAnswer answer;
    if (status == ARES_SUCCESS && info != nullptr) {
      answer = answer_from(*info);
    } else {
      answer.error = ares_strerror(status);
    }
    ares_freeaddrinfo(info);
    --query->resolver->in_flight_;
    if (status != ARES_EDESTRUCTION) {
      query->done(std::move(answer));
    }
  }

  static void on_srv_answer(void* argument, int status, int /*timeouts*/, unsigned char* bytes,
                            int size) {
    const std::unique_ptr<SrvQuery> query(static_cast<SrvQuery*>(argument));
    --query->resolver->in_flight_;
    if (status == ARES_EDESTRUCTION) {
      return;
    }
    SrvAnswer answer;
    if (status == ARES_SUCCESS && bytes != nullptr) {
      answer = read_srv_answer({bytes, static_cast<size_t>(size)});
    } else {
      answer.error = ares_strerror(status);
    }
    query->done(std::move(answer));
  }

  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<CaresResolver*>(self)->watch(fd, readable != 0, writable != 0);
  }

  void watch(int fd, bool readable, bool writable) {
    const auto found = sockets_.find(fd);
    if (!readable && !writable) {
      if (found != sockets_.end()) {
        found->second.descriptor.release();
        sockets_.erase(found);
      }
      return;
    }
    Socket& socket =
        found != sockets_.end()
            ? found->second
            : sockets_.emplace(fd, Socket{asio::posix::stream_descriptor(context_, fd), next_id_++})
                  .first->second;
    socket.wants_read = readable;
    socket.wants_write = writable;
    arm(socket);
  }

  void arm(Socket& socket) {
    const int fd = socket.descriptor.native_handle();
    const uint64_t id = socket.id;
    if (socket.wants_read && !socket.waits_read) {
      socket.waits_read = true;
      socket.descriptor.async_wait(
          asio::posix::stream_descriptor::wait_read,
          [this, fd, id](error_code error) { on_event(error, fd, id, /*read=*/true); });
    }
    if (socket.wants_write && !socket.waits_write) {
      socket.waits_write = true;
      socket.descriptor.async_wait(
          asio::posix::stream_descriptor::wait_write,
          [this, fd, id](error_code error) { on_event(error, fd, id, /*read=*/false); });
    }
  }

  void on_event(error_code error, int fd, uint64_t id, bool read) {
    Socket* socket = error ? nullptr : find_socket(fd, id);
    if (socket == nullptr) {
      return;
    }
    (read ? socket->waits_read : socket->waits_write) = false;
    process(read ? fd : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : fd);
    socket = find_socket(fd, id);
    if (socket != nullptr) {
      arm(*socket);
    }
  }

  Socket* find_socket(int fd, uint64_t id) {
    const auto found = sockets_.find(fd);
    return found != sockets_.end() && found->second.id == id ? &found->second : nullptr;
  }

  void process(int read_fd, int write_fd) {
    const bool outer = std::exchange(processing_, true);
    ares_process_fd(channel_, read_fd, write_fd);
    processing_ = outer;
    arm_timer();
  }

  void arm_timer() {
    timeval wait{};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &wait) == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds(wait.tv_sec) +
                         std::chrono::microseconds(wait.tv_usec + 1000));
    timer_.async_wait([this](error_code error) {
      if (!error && channel_ != nullptr) {
        process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      }
    });
  }

  asio::io_context& context_;
  ResolverOptions options_;
  asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::map<int, Socket> sockets_;
  uint64_t next_id_ = 0;
  uint64_t in_flight_ = 0;
  bool processing_ = false;  // inside c-ares: the channel must not be destroyed
  bool stale_ = false;
};

bool has_route(const std::string& address) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(80);
    size = sizeof(v4);
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(80);
    size = sizeof(v6);
  } else {
    return false;
  }
  const int fd = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return errno != EAFNOSUPPORT;
  }
  const bool reachable = ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
  ::close(fd);
  return reachable;
}

}  // namespace

std::unique_ptr<Resolver> make_resolver(asio::io_context& context, ResolverOptions options) {
  return std::make_unique<CaresResolver>(context, std::move(options));
}

std::vector<std::string> keep_reachable(std::vector<std::string> addresses) {
  std::vector<std::string> reachable;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(reachable), has_route);
  return reachable.empty() ? addresses : reachable;
}

}  // namespace hangu::control
