// Client: questions to an etcd cluster by its v3 API, as JSON over HTTP/1.1, with or without TLS.
// Each goes to the member that answered last, and to the others when that one fails. Coroutines of
// one io_context and thread; a connection a question, and one for each watch. It knows nothing of
// what the keys mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "hangu/base/clock.h"
#include "hangu/base/result.h"

namespace hangu::etcd {

struct Options {
  std::vector<std::string> endpoints;  // http://host:port or https://host:port; at least one
  std::string username;                // empty: no authentication
  std::string password;
  std::string ca;           // PEM file; empty: the system's
  std::string server_name;  // empty: the host of the URL
  std::string certificate;  // PEM files of ours; may be empty
  std::string key;
  Duration timeout = std::chrono::seconds(5);  // of a question
};

struct Error {
  enum class Kind : uint8_t {
    kUnreachable,  // no member answered, or none has a leader
    kDenied,       // user, password or certificate
    kCompacted,    // the revision asked for is gone
    kOther,
  };

  Kind kind = Kind::kOther;
  std::string message;  // one line
};

template <class T>
using Answer = Result<T, Error>;

struct KeyValue {
  std::string key;
  std::string value;
  int64_t mod_revision = 0;
  int64_t lease = 0;  // that it goes with; 0: none
};

/// All keys that begin with `prefix`, or the key itself.
struct RangeRequest {
  std::string key;
  bool is_prefix = false;
  int64_t revision = 0;  // as it was then; 0: now
  int64_t limit = 0;     // 0: all, read in pages of one revision
  bool keys_only = false;
  bool newest_first = false;  // by mod_revision; with a limit
};

struct RangeAnswer {
  int64_t revision = 0;  // of the store, when it was read
  int64_t count = 0;     // of all that there are
  std::vector<KeyValue> keys;
};

/// What a transaction holds only under: mod_revision of a key is this; 0: there is no such key.
struct Compare {
  std::string key;
  int64_t mod_revision = 0;
};

struct Operation {
  std::string key;
  std::optional<std::string> value;  // none: the key is removed
  int64_t lease = 0;                 // that the key goes with; 0: none
};

struct TxnAnswer {
  bool succeeded = false;  // else a comparison did not hold and nothing was done
  int64_t revision = 0;
};

struct Event {
  KeyValue now;  // without a value when it was removed
  bool removed = false;
};

/// Events of one or more revisions, in order.
struct WatchNews {
  int64_t revision = 0;
  std::vector<Event> events;  // none: the watch has begun, or is as far as `revision`
};

/// All keys that begin with `prefix`, from `revision` on.
struct WatchRange {
  std::string prefix;
  int64_t revision = 0;
};

class Client {
 public:
  explicit Client(Options options);
  ~Client();

  boost::asio::awaitable<Answer<RangeAnswer>> range(RangeRequest request);

  /// All operations in one revision, or none; at most kOperationsMax.
  boost::asio::awaitable<Answer<TxnAnswer>> transact(std::vector<Compare> compares,
                                                     std::vector<Operation> operations);

  /// A new lease, which ends when nobody has kept it alive for `ttl`; its number.
  boost::asio::awaitable<Answer<int64_t>> grant_lease(std::chrono::seconds ttl);

  /// false: there is no such lease any more.
  boost::asio::awaitable<Answer<bool>> keep_lease_alive(int64_t lease);

  /// Ends it, and all keys with it.
  boost::asio::awaitable<Answer<void>> revoke_lease(int64_t lease);

  /// Tells of changes in all ranges until something goes wrong, which is the answer; or until
  /// `stop` is cancelled. Everything since is told anew by the next watch.
  boost::asio::awaitable<Error> watch(std::vector<WatchRange> ranges,
                                      std::function<void(WatchNews)> news);

  /// Ends a watch that seems to be dead: it comes back with kUnreachable.
  void break_watches();

  /// The member that answered last.
  const std::string& endpoint() const;

  static constexpr size_t kOperationsMax = 120;  // etcd takes 128 by default

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hangu::etcd
