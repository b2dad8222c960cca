#include "hangu/etcd/client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/assert.h"

#include "etcd/connection.h"
#include "etcd/messages.h"

namespace hangu::etcd {
namespace {

namespace asio = boost::asio;

// Of the largest documents a page still is below what a Connection reads.
constexpr int64_t kPageKeys = 32;
// A page after the first is to have about so many bytes, and at most so many keys.
constexpr size_t kPageBytes = size_t{4} * 1024 * 1024;
constexpr int64_t kPageKeysMax = 4096;

// A revision has as much as a transaction of ours, or less than etcd takes of anybody's.
constexpr size_t kLineBytesMax = 256 * 1024 * 1024;

constexpr std::string_view kDefaultPort = "2379";

constexpr int kOk = 200;

/// How many keys are asked for next, when so many were in so many bytes.
int64_t page_keys_after(size_t keys, size_t bytes, int64_t most) {
  const size_t wanted = kPageBytes * keys / std::max<size_t>(bytes, 1);
  return std::clamp(static_cast<int64_t>(wanted), kPageKeys, most);
}

Error unreachable(const std::string& endpoint, const std::string& reason) {
  return {Error::Kind::kUnreachable, fmt::format("{}: {}", endpoint, reason)};
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)) {
    HANGU_ASSERT(!options_.endpoints.empty());
  }

  /// `once`: what was sent and not answered is not sent again.
  asio::awaitable<Answer<std::string>> post(std::string target, std::string body,
                                            bool once = false) {
    Error last;
    bool asked_again = false;
    for (size_t tried = 0; tried < options_.endpoints.size();) {
      Attempt attempt = co_await try_post(target, body);
      if (attempt.answer) {
        co_return std::move(attempt.answer);
      }
      last = attempt.answer.error();
      if (last.kind == Error::Kind::kDenied && !token_.empty() && !asked_again) {
        token_.clear();  // it may have expired
        asked_again = true;
        continue;
      }
      if (last.kind != Error::Kind::kUnreachable || (once && attempt.sent)) {
        break;
      }
      next_member();
      ++tried;
    }
    co_return Failure<Error>{std::move(last)};
  }

  asio::awaitable<Error> watch(std::vector<WatchRange> ranges,
                               std::function<void(WatchNews)> news) {
    const uint64_t breaks_before = breaks_;
    auto opened = co_await open_watch(ranges);
    if (!opened && opened.error().kind == Error::Kind::kDenied && !token_.empty()) {
      token_.clear();
      opened = co_await open_watch(ranges);
    }
    if (!opened) {
      if (opened.error().kind == Error::Kind::kUnreachable) {
        next_member();
      }
      co_return opened.error();
    }
    const std::shared_ptr<Connection> connection = *opened;
    if (breaks_ != breaks_before) {
      co_return unreachable(endpoint(), "the watch was given up");
    }
    watches_.push_back(connection);
    Error why = co_await read_watch(connection, news);
    std::erase(watches_, connection);
    if (why.kind == Error::Kind::kUnreachable) {
      next_member();
    }
    co_return why;
  }

  void break_watches() {
    ++breaks_;
    for (const std::shared_ptr<Connection>& each : watches_) {
      each->close();
    }
  }

  const std::string& endpoint() const { return options_.endpoints[current_]; }

 private:
  struct Attempt {
    Answer<std::string> answer;
    bool sent = false;
  };

  void next_member() {
    current_ = (current_ + 1) % options_.endpoints.size();
    token_.clear();  // a simple token is known to all members, but only while they agree
  }

  asio::awaitable<Answer<std::shared_ptr<Connection>>> connect_member() {
    const auto url = http::parse_http_url(endpoint(), kDefaultPort);
    if (!url) {
      co_return Failure<Error>{{Error::Kind::kOther, endpoint() + ": is no address of HTTP"}};
    }
    std::shared_ptr<asio::ssl::context> tls;
    if (url->tls) {
      auto made = make_tls(options_);  // anew: files are renewed
      if (!made) {
        co_return Failure<Error>{{Error::Kind::kDenied, made.error()}};
      }
      tls = *made;
    }
    auto connected = co_await connect(*url, options_.server_name, tls, options_.timeout);
    if (!connected) {
      co_return Failure<Error>{unreachable(endpoint(), connected.error())};
    }
    co_return *connected;
  }

  asio::awaitable<Attempt> try_post(const std::string& target, const std::string& body) {
    if (!options_.username.empty() && token_.empty()) {
      auto token = co_await authenticate();
      if (!token) {
        co_return Attempt{Failure<Error>{token.error()}};
      }
      token_ = *token;
    }
    co_return co_await post_once(target, body);
  }

  asio::awaitable<Attempt> post_once(const std::string& target, const std::string& body) {
    auto connection = co_await connect_member();
    if (!connection) {
      co_return Attempt{Failure<Error>{connection.error()}};
    }
    auto reply = co_await (*connection)->ask(target, token_, body);
    if (!reply) {
      co_return Attempt{Failure<Error>{unreachable(endpoint(), reply.error())}, true};
    }
    if (reply->status != kOk) {
      Error error = read_error(reply->status, reply->body);
      error.message = fmt::format("{}: {}", endpoint(), error.message);
      co_return Attempt{Failure<Error>{std::move(error)}, true};
    }
    co_return Attempt{std::move(reply->body), true};
  }

  asio::awaitable<Answer<std::string>> authenticate() {
    Attempt attempt = co_await post_once("/v3/auth/authenticate",
                                         login_message(options_.username, options_.password));
    if (!attempt.answer) {
      co_return Failure<Error>{attempt.answer.error()};
    }
    co_return read_token(*attempt.answer);
  }

  asio::awaitable<Answer<std::shared_ptr<Connection>>> open_watch(
      const std::vector<WatchRange>& ranges) {
    if (!options_.username.empty() && token_.empty()) {
      auto token = co_await authenticate();
      if (!token) {
        co_return Failure<Error>{token.error()};
      }
      token_ = *token;
    }
    auto connection = co_await connect_member();
    if (!connection) {
      co_return Failure<Error>{connection.error()};
    }
    std::string message;  // one object after the other
    for (const WatchRange& each : ranges) {
      message += watch_message(each.prefix, each.revision);
    }
    auto status = co_await (*connection)->open_stream("/v3/watch", token_, std::move(message));
    if (!status) {
      co_return Failure<Error>{unreachable(endpoint(), status.error())};
    }
    if (*status != kOk) {
      auto body = co_await (*connection)->read_piece();
      co_return Failure<Error>{read_error(*status, body ? *body : "")};
    }
    co_return *connection;
  }

  asio::awaitable<Error> read_watch(std::shared_ptr<Connection> connection,
                                    std::function<void(WatchNews)> news) {
    std::string text;
    while (true) {
      auto piece = co_await connection->read_piece();
      if (!piece) {
        co_return unreachable(endpoint(), piece.error());
      }
      text += *piece;
      size_t begin = 0;
      for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        auto said = read_watch_line(std::string_view(text).substr(begin, end - begin));
        if (Error* error = std::get_if<Error>(&said)) {
          co_return std::move(*error);
        }
        news(std::move(std::get<WatchNews>(said)));
        begin = end + 1;
      }
      text.erase(0, begin);
      if (text.size() > kLineBytesMax) {
        co_return unreachable(endpoint(), "the watch says too much at once");
      }
    }
  }

  Options options_;
  size_t current_ = 0;
  std::string token_;
  std::vector<std::shared_ptr<Connection>> watches_;
  uint64_t breaks_ = 0;  // times that watches were broken
};

Client::Client(Options options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

Client::~Client() {
  impl_->break_watches();
}

asio::awaitable<Answer<RangeAnswer>> Client::range(RangeRequest request) {
  const std::shared_ptr<Impl> impl = impl_;
  RangeAnswer all;
  std::string from = request.key;
  int64_t page_keys = kPageKeys;
  int64_t page_keys_max = kPageKeysMax;
  while (true) {
    const int64_t limit = request.limit != 0 ? request.limit : page_keys;
    auto body = co_await impl->post("/v3/kv/range", range_message(request, from, limit));
    if (!body && body.error().kind == Error::Kind::kUnreachable && page_keys > kPageKeys) {
      // They may be much larger than those before, or the way may be slow.
      page_keys = page_keys_max = kPageKeys;
      continue;
    }
    if (!body) {
      co_return Failure<Error>{body.error()};
    }
    auto page = read_range(*body);
    if (!page) {
      co_return Failure<Error>{page.error()};
    }
    page_keys = page_keys_after(page->answer.keys.size(), body->size(), page_keys_max);
    if (all.revision == 0) {
      all.revision = page->answer.revision;
      all.count = page->answer.count;
      request.revision = request.revision != 0 ? request.revision : all.revision;
    }
    std::move(page->answer.keys.begin(), page->answer.keys.end(), std::back_inserter(all.keys));
    if (!page->more || request.limit != 0 || all.keys.empty()) {
      co_return all;
    }
    from = all.keys.back().key + '\0';
  }
}

asio::awaitable<Answer<TxnAnswer>> Client::transact(std::vector<Compare> compares,
                                                    std::vector<Operation> operations) {
  HANGU_ASSERT(operations.size() <= kOperationsMax);
  const std::shared_ptr<Impl> impl = impl_;
  auto body = co_await impl->post("/v3/kv/txn", txn_message(compares, operations), /*once=*/true);
  if (!body) {
    co_return Failure<Error>{body.error()};
  }
  co_return read_txn(*body);
}

asio::awaitable<Answer<int64_t>> Client::grant_lease(std::chrono::seconds ttl) {
  const std::shared_ptr<Impl> impl = impl_;
  auto body = co_await impl->post("/v3/lease/grant", grant_message(ttl.count()));
  if (!body) {
    co_return Failure<Error>{body.error()};
  }
  co_return read_lease(*body);
}

asio::awaitable<Answer<bool>> Client::keep_lease_alive(int64_t lease) {
  const std::shared_ptr<Impl> impl = impl_;
  auto body = co_await impl->post("/v3/lease/keepalive", lease_message(lease));
  if (!body) {
    co_return Failure<Error>{body.error()};
  }
  co_return read_kept_alive(*body);
}

asio::awaitable<Answer<void>> Client::revoke_lease(int64_t lease) {
  const std::shared_ptr<Impl> impl = impl_;
  auto body = co_await impl->post("/v3/lease/revoke", lease_message(lease));
  if (!body) {
    co_return Failure<Error>{body.error()};
  }
  co_return Answer<void>();
}

asio::awaitable<Error> Client::watch(std::vector<WatchRange> ranges,
                                     std::function<void(WatchNews)> news) {
  const std::shared_ptr<Impl> impl = impl_;
  co_return co_await impl->watch(std::move(ranges), std::move(news));
}

void Client::break_watches() {
  impl_->break_watches();
}

const std::string& Client::endpoint() const {
  return impl_->endpoint();
}

}  // namespace hangu::etcd
