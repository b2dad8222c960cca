// Publisher: writes documents into the config centre: each push is one transaction that holds only
// if nobody has written since it was prepared, with a record of what was there before. Below the
// prefix stand `config/LIST/NAME` (documents), `generation` (the number of the last push),
// `history/NUMBER` and `proposals/ID`. Coroutines of the client's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "hangu/base/clock.h"
#include "hangu/config/assembly.h"
#include "hangu/etcd/client.h"
#include "hangu/fleet/envelope.h"

namespace hangu::fleet {

/// A document as the store has it.
struct StoreEntry {
  std::string text;  // with its envelope
  int64_t mod_revision = 0;
};

/// The store at one revision.
struct StoreState {
  uint64_t generation = 0;  // 0: nobody has pushed yet
  int64_t generation_revision = 0;
  std::map<std::string, StoreEntry, std::less<>> documents;  // by "routes/users"
  StoreEntry rollout;  // see Rollout; without text: there was none
};

/// One document of a push.
struct PushedDocument {
  std::string key;
  std::optional<std::string> before;  // with envelopes; none: it was not there
  std::optional<std::string> after;   // none: it goes
  bool operator==(const PushedDocument&) const = default;
};

struct PushRecord {
  uint64_t generation = 0;  // of a proposal: 0
  std::string id;           // of a proposal
  std::string author;
  std::string time;  // RFC 3339
  std::string message;
  bool by_rollout = false;  // of a proposal: it is to reach the nodes by and by
  std::vector<PushedDocument> documents;
  int64_t mod_revision = 0;  // of the key that it was read from; 0: it was not
};

/// What else a push does and holds only under, in the same transaction.
struct PushTerms {
  std::vector<etcd::Compare> compares;
  std::vector<etcd::Operation> operations;
};

struct PushOptions {
  std::string author;
  std::string message;
  const tls::SigningKey* key = nullptr;  // nullptr: documents are not signed
  bool by_rollout = false;               // of a proposal: what is to become of it
  WallTime now;
};

class Publisher {
 public:
  template <class T>
  using Answer = Result<T, std::string>;

  /// `prefix` as in the config, with its slash.
  Publisher(etcd::Client& client, std::string prefix);

  boost::asio::awaitable<Answer<StoreState>> read();

  /// The same of some documents: what it costs is what is asked for.
  boost::asio::awaitable<Answer<StoreState>> read(std::vector<std::string> keys);

  /// What to write for these changes of bodies, signed; those that change nothing are left out. New
  /// elements come before what refers to them, removals after it.
  std::vector<PushedDocument> prepare(const StoreState& state,
                                      const std::vector<config::Document>& changes,
                                      const PushOptions& options) const;

  /// Writes them, in as many generations as their number takes; the last. An error when somebody
  /// has written in between: then nothing was written, or what the error says.
  boost::asio::awaitable<Answer<uint64_t>> push(StoreState state,
                                                std::vector<PushedDocument> documents,
                                                PushOptions options);

  /// The same as one transaction; an error when they are too many for that.
  boost::asio::awaitable<Answer<uint64_t>> push_at_once(StoreState state,
                                                        std::vector<PushedDocument> documents,
                                                        PushOptions options, PushTerms terms);

  /// Whether it can be one transaction.
  static bool fits_at_once(const std::vector<PushedDocument>& documents);

  /// Leaves them for others to approve; the id.
  boost::asio::awaitable<Answer<std::string>> propose(std::vector<PushedDocument> documents,
                                                      PushOptions options);
  boost::asio::awaitable<Answer<PushRecord>> read_proposal(std::string id);
  boost::asio::awaitable<Answer<std::vector<PushRecord>>> proposals();
  /// Writes it as it is now, with more signatures. An error when somebody else has since it was
  /// read: then one of the two signatures would be lost.
  boost::asio::awaitable<Answer<void>> keep_proposal(PushRecord proposal);
  boost::asio::awaitable<Answer<void>> drop_proposal(std::string id);

  /// The newest first.
  boost::asio::awaitable<Answer<std::vector<PushRecord>>> history(size_t at_most);
  boost::asio::awaitable<Answer<PushRecord>> read_generation(uint64_t generation);

  std::string documents_prefix() const { return prefix_ + "config/"; }

  static constexpr size_t kDocumentsMax = 100;         // of one generation
  static constexpr size_t kPushBytesMax = 512 * 1024;  // the same, of texts before and after
  static constexpr size_t kHistoryMax = 200;           // generations kept

 private:
  boost::asio::awaitable<Answer<int64_t>> write_generation(const StoreState& state,
                                                           PushRecord record, PushTerms terms);
  boost::asio::awaitable<Answer<int64_t>> read_generation_of(StoreState& state);
  boost::asio::awaitable<Answer<PushRecord>> read_record(std::string key);

  etcd::Client& client_;
  std::string prefix_;
};

/// The key of the rollout, among those of documents, so that both change at one moment.
inline constexpr std::string_view kRolloutKey = "@rollout";

/// As RFC 3339 writes it, in UTC.
std::string time_text(WallTime time);

}  // namespace hangu::fleet
