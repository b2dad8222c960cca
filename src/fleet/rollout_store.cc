#include "hangu/fleet/rollout_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hangu::fleet {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kPushed =
    "somebody else has pushed in the meantime; look at it and push again";
constexpr std::string_view kChanged = "somebody else has changed the rollout; look at it again";

std::optional<Rollout> active_rollout(const StoreState& state) {
  auto rollout = read_rollout(state.rollout.text);
  return rollout && rollout->active() ? std::move(rollout) : std::nullopt;
}

/// The document that is not as it was when the rollout began; empty: they all are.
std::string changed_since(const StoreState& state, const Rollout& rollout) {
  for (const PushedDocument& each : rollout.documents) {
    const auto found = state.documents.find(each.key);
    const bool same =
        found == state.documents.end() ? !each.before : each.before == found->second.text;
    if (!same) {
      return each.key;
    }
  }
  return "";
}

}  // namespace

RolloutStore::RolloutStore(etcd::Client& client, std::string prefix)
    : client_(client),
      publisher_(client, prefix),
      prefix_(std::move(prefix)) {}

std::string RolloutStore::rollout_key() const {
  return publisher_.documents_prefix() + std::string(kRolloutKey);
}

asio::awaitable<RolloutStore::Answer<StoredRollout>> RolloutStore::read() {
  etcd::RangeRequest request;
  request.key = rollout_key();
  auto found = co_await client_.range(std::move(request));
  if (!found) {
    co_return Failure<std::string>{found.error().message};
  }
  StoredRollout stored;
  if (!found->keys.empty()) {
    stored.mod_revision = found->keys[0].mod_revision;
    stored.rollout = read_rollout(found->keys[0].value);
  }
  co_return stored;
}

asio::awaitable<RolloutStore::Answer<std::vector<NodeReport>>> RolloutStore::nodes() {
  etcd::RangeRequest request;
  request.key = node_key("");
  request.is_prefix = true;
  auto found = co_await client_.range(std::move(request));
  if (!found) {
    co_return Failure<std::string>{found.error().message};
  }
  std::vector<NodeReport> nodes;
  for (const etcd::KeyValue& each : found->keys) {
    if (auto report = read_report(each.value)) {
      nodes.push_back(std::move(*report));
    }
  }
  co_return nodes;
}

asio::awaitable<RolloutStore::Answer<void>> RolloutStore::begin(const StoreState& state,
                                                                Rollout rollout) {
  std::vector<etcd::Compare> compares;
  compares.push_back({rollout_key(), state.rollout.mod_revision});
  for (const PushedDocument& each : rollout.documents) {
    const auto known = state.documents.find(each.key);
    compares.push_back({publisher_.documents_prefix() + each.key,
                        known == state.documents.end() ? 0 : known->second.mod_revision});
  }
  co_return co_await put(std::move(compares), std::move(rollout), kPushed);
}

asio::awaitable<RolloutStore::Answer<void>> RolloutStore::put(std::vector<etcd::Compare> compares,
                                                              Rollout rollout,
                                                              std::string_view refusal) {
  std::vector<etcd::Operation> operations;
  operations.push_back({rollout_key(), to_json(rollout)});
  auto done = co_await client_.transact(std::move(compares), std::move(operations));
  if (!done) {
    co_return Failure<std::string>{done.error().message};
  }
  if (!done->succeeded) {
    co_return Failure<std::string>{std::string(refusal)};
  }
  co_return Answer<void>();
}

asio::awaitable<RolloutStore::Answer<void>> RolloutStore::write(
    StoredRollout before, Rollout rollout, std::optional<etcd::Compare> fence) {
  std::vector<etcd::Compare> compares;
  compares.push_back({rollout_key(), before.mod_revision});
  if (fence) {
    compares.push_back(*fence);
  }
  co_return co_await put(std::move(compares), std::move(rollout), kChanged);
}

asio::awaitable<RolloutStore::Answer<Rollout>> RolloutStore::complete(
    StoredRollout before, Rollout rollout, std::optional<etcd::Compare> fence, WallTime now) {
  auto state = co_await publisher_.read();
  if (!state) {
    co_return Failure<std::string>{state.error()};
  }
  const std::string changed = changed_since(*state, rollout);
  std::vector<PushedDocument> documents = rollout.documents;
  forget_documents(rollout);
  if (!changed.empty()) {
    rollout.state = Rollout::State::kRolledBack;
    rollout.cause = fmt::format("{} was changed by somebody else in the meantime", changed);
    auto written = co_await write(before, rollout, fence);
    if (!written) {
      co_return Failure<std::string>{written.error()};
    }
    co_return rollout;
  }
  PushTerms terms;
  terms.compares.push_back({rollout_key(), before.mod_revision});
  if (fence) {
    terms.compares.push_back(*fence);
  }
  terms.operations.push_back({rollout_key(), to_json(rollout)});
  PushOptions options;
  options.author = rollout.author;
  options.message = rollout.message;
  options.now = now;
  auto generation = co_await publisher_.push_at_once(std::move(*state), std::move(documents),
                                                     std::move(options), std::move(terms));
  if (!generation) {
    co_return Failure<std::string>{generation.error()};
  }
  co_return rollout;
}

std::string begin_error(const StoreState& state, const std::vector<PushedDocument>& documents) {
  if (const auto active = active_rollout(state)) {
    return fmt::format("the rollout {} of {} is not over; `hangu rollout status` shows it",
                       active->id, active->author);
  }
  if (!Publisher::fits_at_once(documents)) {
    return fmt::format("a rollout has at most {} documents and {} KiB", Publisher::kDocumentsMax,
                       Publisher::kPushBytesMax / 1024);
  }
  return "";
}

std::string held_by_rollout(const StoreState& state, const std::vector<PushedDocument>& documents) {
  const auto active = active_rollout(state);
  if (!active) {
    return "";
  }
  for (const PushedDocument& each : documents) {
    const bool held =
        std::any_of(active->documents.begin(), active->documents.end(),
                    [&each](const PushedDocument& other) { return other.key == each.key; });
    if (held) {
      return fmt::format("{} is in the hands of the rollout {}, which is {}", each.key, active->id,
                         to_string(active->state));
    }
  }
  return "";
}

}  // namespace hangu::fleet
