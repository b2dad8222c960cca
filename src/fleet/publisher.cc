#include "hangu/fleet/publisher.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "hangu/base/unix_time.h"
#include "hangu/identity/sealer.h"

#include "fleet/push_record.h"

namespace hangu::fleet {
namespace {

namespace asio = boost::asio;

constexpr size_t kIdBytes = 6;

/// The place of a document's list among those that refer to each other.
size_t rank_of(std::string_view key) {
  const std::vector<std::string_view>& lists = config::document_lists();
  return static_cast<size_t>(std::find(lists.begin(), lists.end(), key.substr(0, key.find('/'))) -
                             lists.begin());
}

uint64_t milliseconds_of(WallTime time) {
  return static_cast<uint64_t>(unix_milliseconds(time));
}

/// After any version before, also of a store that was lost and begun anew.
uint64_t next_sequence(const std::optional<std::string>& before, WallTime now) {
  uint64_t last = 0;  // what reads it bounds it
  if (before) {
    const auto envelope = read_envelope(*before);
    last = envelope ? envelope->sequence : 0;
  }
  return std::max(last + 1, milliseconds_of(now));
}

/// Nothing needs no signature.
bool is_signed(const std::optional<std::string>& text, const tls::SigningKey& key) {
  const auto envelope = read_envelope(text.value_or(""));
  return !text || (envelope &&
                   std::any_of(envelope->signatures.begin(), envelope->signatures.end(),
                               [&key](const Signature& each) { return each.key_id == key.id(); }));
}

bool goes_away(const PushedDocument& document) {
  return !body_of(document.after);
}

/// How many of them, the first ones, fit into one transaction.
size_t count_part(const std::vector<PushedDocument>& documents) {
  size_t bytes = 0;
  size_t count = 0;
  while (count < documents.size() && count < Publisher::kDocumentsMax) {
    const PushedDocument& each = documents[count];
    bytes += each.before.value_or("").size() + 2 * each.after.value_or("").size();
    if (count != 0 && bytes > Publisher::kPushBytesMax) {
      break;
    }
    ++count;
  }
  return count;
}

std::vector<PushedDocument> take_part(std::vector<PushedDocument>& documents) {
  const size_t count = count_part(documents);
  const auto end = documents.begin() + static_cast<ptrdiff_t>(count);
  std::vector<PushedDocument> part(std::make_move_iterator(documents.begin()),
                                   std::make_move_iterator(end));
  documents.erase(documents.begin(), end);
  return part;
}

std::string history_key(const std::string& prefix, uint64_t generation) {
  return fmt::format("{}history/{:012}", prefix, generation);
}

/// Of the next push, without documents.
PushRecord record_of(const StoreState& state, const PushOptions& options) {
  return {.generation = state.generation + 1,
          .id = "",
          .author = options.author,
          .time = time_text(options.now),
          .message = options.message,
          .by_rollout = false,
          .documents = {}};
}

std::string reason_of(const etcd::Error& error) {
  return error.message;
}

}  // namespace

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time_t{unix_seconds(time)}));
}

Publisher::Publisher(etcd::Client& client, std::string prefix)
    : client_(client),
      prefix_(std::move(prefix)) {}

/// The number of the last push in a new state, and the revision of the store then.
asio::awaitable<Publisher::Answer<int64_t>> Publisher::read_generation_of(StoreState& state) {
  etcd::RangeRequest generation;
  generation.key = prefix_ + "generation";
  auto counted = co_await client_.range(generation);
  if (!counted) {
    co_return Failure<std::string>{reason_of(counted.error())};
  }
  if (!counted->keys.empty()) {
    const auto record = read_record_json(counted->keys[0].value);
    state.generation = record ? record->generation : 0;
    state.generation_revision = counted->keys[0].mod_revision;
  }
  co_return counted->revision;
}

asio::awaitable<Publisher::Answer<StoreState>> Publisher::read(std::vector<std::string> keys) {
  StoreState state;
  auto revision = co_await read_generation_of(state);
  if (!revision) {
    co_return Failure<std::string>{revision.error()};
  }
  keys.emplace_back(kRolloutKey);
  for (const std::string& key : keys) {
    etcd::RangeRequest request;
    request.key = documents_prefix() + key;
    request.revision = *revision;
    auto found = co_await client_.range(request);
    if (!found) {
      co_return Failure<std::string>{reason_of(found.error())};
    }
    for (etcd::KeyValue& each : found->keys) {
      StoreEntry& entry = key == kRolloutKey ? state.rollout : state.documents[key];
      entry = {std::move(each.value), each.mod_revision};
    }
  }
  co_return state;
}

asio::awaitable<Publisher::Answer<StoreState>> Publisher::read() {
  StoreState state;
  auto revision = co_await read_generation_of(state);
  if (!revision) {
    co_return Failure<std::string>{revision.error()};
  }
  etcd::RangeRequest all;
  all.key = documents_prefix();
  all.is_prefix = true;
  all.revision = *revision;  // both at one revision
  auto found = co_await client_.range(all);
  if (!found) {
    co_return Failure<std::string>{reason_of(found.error())};
  }
  for (etcd::KeyValue& each : found->keys) {
    const std::string key = each.key.substr(all.key.size());
    StoreEntry entry{std::move(each.value), each.mod_revision};
    if (key == kRolloutKey) {
      state.rollout = std::move(entry);
    } else if (!key.starts_with('@')) {
      state.documents[key] = std::move(entry);
    }
  }
  co_return state;
}

std::vector<PushedDocument> Publisher::prepare(const StoreState& state,
                                               const std::vector<config::Document>& changes,
                                               const PushOptions& options) const {
  std::vector<PushedDocument> out;
  for (const config::Document& change : changes) {
    const auto found = state.documents.find(change.key);
    std::optional<std::string> before;
    if (found != state.documents.end()) {
      before = found->second.text;
    }
    if (body_of(before) == change.text &&
        (options.key == nullptr || is_signed(before, *options.key))) {
      continue;
    }
    PushedDocument document{.key = change.key, .before = before, .after = std::nullopt};
    if (change.text || options.key != nullptr) {
      Envelope envelope{.sequence = next_sequence(before, options.now),
                        .author = options.author,
                        .time = time_text(options.now),
                        .deleted = !change.text,
                        .signatures = {},
                        .body = change.text.value_or("")};
      if (options.key != nullptr) {
        sign(envelope, documents_prefix() + change.key, *options.key);
      }
      document.after = to_text(envelope);
    }
    out.push_back(std::move(document));
  }
  std::stable_sort(out.begin(), out.end(), [](const PushedDocument& a, const PushedDocument& b) {
    const bool a_goes = goes_away(a);
    if (a_goes != goes_away(b)) {
      return !a_goes;
    }
    return a_goes ? rank_of(a.key) > rank_of(b.key) : rank_of(a.key) < rank_of(b.key);
  });
  return out;
}

asio::awaitable<Publisher::Answer<int64_t>> Publisher::write_generation(const StoreState& state,
                                                                        PushRecord record,
                                                                        PushTerms terms) {
  terms.compares.push_back({prefix_ + "generation", state.generation_revision});
  for (const PushedDocument& each : record.documents) {
    const auto known = state.documents.find(each.key);
    const int64_t revision = known == state.documents.end() ? 0 : known->second.mod_revision;
    terms.compares.push_back({documents_prefix() + each.key, revision});
    terms.operations.push_back({documents_prefix() + each.key, each.after});
  }
  terms.operations.push_back({history_key(prefix_, record.generation), to_json(record)});
  if (record.generation > kHistoryMax) {
    const std::string oldest = history_key(prefix_, record.generation - kHistoryMax);
    terms.operations.push_back({oldest, std::nullopt});
  }
  record.documents.clear();
  terms.operations.push_back({prefix_ + "generation", to_json(record)});
  auto done = co_await client_.transact(std::move(terms.compares), std::move(terms.operations));
  if (!done) {
    co_return Failure<std::string>{reason_of(done.error())};
  }
  if (!done->succeeded) {
    co_return Failure<std::string>{
        "somebody else has pushed in the meantime; look at it and push again"};
  }
  co_return done->revision;
}

asio::awaitable<Publisher::Answer<uint64_t>> Publisher::push(StoreState state,
                                                             std::vector<PushedDocument> documents,
                                                             PushOptions options) {
  uint64_t written = 0;
  while (!documents.empty()) {
    PushRecord record = record_of(state, options);
    record.documents = take_part(documents);
    const size_t count = record.documents.size();
    auto revision = co_await write_generation(state, std::move(record), PushTerms());
    if (!revision) {
      co_return Failure<std::string>{
          written == 0 ? revision.error()
                       : fmt::format("{} documents are written, up to generation {}; then: {}",
                                     written, state.generation, revision.error())};
    }
    written += count;
    ++state.generation;
    state.generation_revision = *revision;
  }
  co_return state.generation;
}

asio::awaitable<Publisher::Answer<uint64_t>> Publisher::push_at_once(
    StoreState state, std::vector<PushedDocument> documents, PushOptions options, PushTerms terms) {
  if (!fits_at_once(documents)) {
    co_return Failure<std::string>{"it is too much for one transaction"};
  }
  PushRecord record = record_of(state, options);
  record.documents = std::move(documents);
  auto revision = co_await write_generation(state, std::move(record), std::move(terms));
  if (!revision) {
    co_return Failure<std::string>{revision.error()};
  }
  co_return state.generation + 1;
}

bool Publisher::fits_at_once(const std::vector<PushedDocument>& documents) {
  return count_part(documents) == documents.size();
}

asio::awaitable<Publisher::Answer<std::string>> Publisher::propose(
    std::vector<PushedDocument> documents, PushOptions options) {
  PushRecord proposal;
  proposal.id = identity::random_digits(kIdBytes);
  proposal.author = std::move(options.author);
  proposal.time = time_text(options.now);
  proposal.message = std::move(options.message);
  proposal.by_rollout = options.by_rollout;
  proposal.documents = std::move(documents);
  const std::string id = proposal.id;
  auto kept = co_await keep_proposal(std::move(proposal));
  if (!kept) {
    co_return Failure<std::string>{kept.error()};
  }
  co_return id;
}

asio::awaitable<Publisher::Answer<void>> Publisher::keep_proposal(PushRecord proposal) {
  const std::string key = prefix_ + "proposals/" + proposal.id;
  std::vector<etcd::Compare> compares;
  compares.push_back({key, proposal.mod_revision});
  std::vector<etcd::Operation> operations;
  operations.push_back({key, to_json(proposal)});
  auto done = co_await client_.transact(std::move(compares), std::move(operations));
  if (!done) {
    co_return Failure<std::string>{reason_of(done.error())};
  }
  if (!done->succeeded) {
    co_return Failure<std::string>{
        "somebody else has signed or published it in the meantime; approve it again"};
  }
  co_return Answer<void>();
}

asio::awaitable<Publisher::Answer<void>> Publisher::drop_proposal(std::string id) {
  std::vector<etcd::Operation> operations;
  operations.push_back({prefix_ + "proposals/" + id, std::nullopt});
  auto done = co_await client_.transact({}, std::move(operations));
  if (!done) {
    co_return Failure<std::string>{reason_of(done.error())};
  }
  co_return Answer<void>();
}

asio::awaitable<Publisher::Answer<PushRecord>> Publisher::read_record(std::string key) {
  etcd::RangeRequest request;
  request.key = key;
  auto found = co_await client_.range(std::move(request));
  if (!found) {
    co_return Failure<std::string>{reason_of(found.error())};
  }
  if (found->keys.empty()) {
    co_return Failure<std::string>{fmt::format("the store has no {}", key)};
  }
  auto record = read_record_json(found->keys[0].value);
  if (!record) {
    co_return Failure<std::string>{fmt::format("{} is not as hangu writes it", key)};
  }
  record->mod_revision = found->keys[0].mod_revision;
  co_return std::move(*record);
}

asio::awaitable<Publisher::Answer<PushRecord>> Publisher::read_proposal(std::string id) {
  auto record = co_await read_record(prefix_ + "proposals/" + id);
  if (record) {
    record->id = id;
  }
  co_return record;
}

asio::awaitable<Publisher::Answer<PushRecord>> Publisher::read_generation(uint64_t generation) {
  co_return co_await read_record(history_key(prefix_, generation));
}

asio::awaitable<Publisher::Answer<std::vector<PushRecord>>> Publisher::proposals() {
  etcd::RangeRequest request;
  request.key = prefix_ + "proposals/";
  request.is_prefix = true;
  auto found = co_await client_.range(request);
  if (!found) {
    co_return Failure<std::string>{reason_of(found.error())};
  }
  std::vector<PushRecord> out;
  for (const etcd::KeyValue& each : found->keys) {
    if (auto record = read_record_json(each.value)) {
      record->id = each.key.substr(request.key.size());
      record->mod_revision = each.mod_revision;
      out.push_back(std::move(*record));
    }
  }
  co_return out;
}

asio::awaitable<Publisher::Answer<std::vector<PushRecord>>> Publisher::history(size_t at_most) {
  etcd::RangeRequest request;
  request.key = prefix_ + "history/";
  request.is_prefix = true;
  request.newest_first = true;
  request.limit = static_cast<int64_t>(at_most);
  auto found = co_await client_.range(std::move(request));
  if (!found) {
    co_return Failure<std::string>{reason_of(found.error())};
  }
  std::vector<PushRecord> out;
  for (const etcd::KeyValue& each : found->keys) {
    if (auto record = read_record_json(each.value)) {
      out.push_back(std::move(*record));
    }
  }
  co_return out;
}

}  // namespace hangu::fleet
