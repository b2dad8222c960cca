#include "control/center_writer.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "hangu/base/utf8.h"
#include "hangu/control/loader.h"
#include "hangu/control/process.h"
#include "hangu/fleet/rollout_store.h"

#include "control/edit_check.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Kind = EditOutcome::Kind;

constexpr int kAttemptsMax = 10;  // when others write at the same time
constexpr Duration kPoll = std::chrono::milliseconds(5);
constexpr Duration kInForceWithin = std::chrono::seconds(10);
constexpr Duration kSeenWithin = std::chrono::seconds(2);  // what others have written

void refuse(EditOutcome& outcome, Kind kind, std::string error) {
  outcome.kind = kind;
  outcome.error = std::move(error);
}

}  // namespace

CenterWriter::CenterWriter(asio::io_context& context, const config::ConfigCenter& center,
                           std::shared_ptr<ConfigSource> source, ConfigEditor::Hooks hooks)
    : context_(context),
      source_(std::move(source)),
      hooks_(std::move(hooks)),
      client_(client_options(center)),
      publisher_(client_, center.prefix),
      trust_(fleet::Trust::load(center.trusted_keys, center.approvals)) {}

void CenterWriter::write(ConfigEdit edit, std::function<void(EditOutcome)> done) {
  asio::co_spawn(context_, run(std::move(edit)),
                 [self = shared_from_this(), done = std::move(done)](
                     const std::exception_ptr& error, EditOutcome outcome) {
                   if (error) {
                     refuse(outcome, Kind::kUnreachable, "the change came to no end");
                   }
                   if (!self->stopped_) {
                     done(std::move(outcome));
                   }
                 });
}

asio::awaitable<EditOutcome> CenterWriter::run(ConfigEdit edit) {
  const auto self = shared_from_this();
  auto attempt = std::make_shared<Attempt>();
  attempt->edit = std::move(edit);
  if (!take_envelopes(*attempt)) {
    co_return std::move(attempt->outcome);
  }
  std::string problem;
  for (int i = 0; i < kAttemptsMax && !stopped_; ++i) {
    attempt->outcome = {};
    const std::string unread = co_await read(attempt);
    if (!unread.empty()) {
      refuse(attempt->outcome, Kind::kUnreachable, unread);
      co_return std::move(attempt->outcome);
    }
    if (i > 0 && is_written(*attempt)) {  // the answer was lost, not the change
      co_await settle(attempt);
      co_return std::move(attempt->outcome);
    }
    const bool current = attempt->edit.digests.empty() || co_await catches_up(attempt);
    if (!current) {
      refuse(attempt->outcome, Kind::kMismatch, "the config is another one by now");
      co_return std::move(attempt->outcome);
    }
    const uint64_t generation = attempt->state.generation;
    co_await check(attempt);
    attempt->outcome.generation = generation;
    if (attempt->outcome.kind != Kind::kDone || attempt->edit.dry_run ||
        attempt->changes->empty()) {
      co_return std::move(attempt->outcome);
    }
    problem = co_await push(attempt);
    if (attempt->outcome.kind != Kind::kDone) {
      co_return std::move(attempt->outcome);
    }
    if (problem.empty()) {
      co_await settle(attempt);
      co_return std::move(attempt->outcome);
    }
  }
  refuse(attempt->outcome, Kind::kConflict, problem);
  co_return std::move(attempt->outcome);
}

bool CenterWriter::take_envelopes(Attempt& attempt) const {
  if (!trust_) {
    refuse(attempt.outcome, Kind::kUnsigned, trust_.error());
    return false;
  }
  for (DocumentEdit& each : attempt.edit.documents) {
    const auto envelope = fleet::read_envelope(each.text.value_or(""));
    std::string why = envelope
                          ? trust_->refusal(publisher_.documents_prefix() + each.key, *envelope)
                          : envelope.error();
    if (!why.empty()) {
      refuse(
          attempt.outcome, Kind::kUnsigned,
          fmt::format("{}: {}; send it as `hangu config` signs it, removals, too", each.key, why));
      return false;
    }
    if (envelope->sequence != 0) {
      attempt.envelopes[each.key] = *each.text;
      each.text = fleet::body_of(each.text);
    }
  }
  return true;
}

asio::awaitable<std::string> CenterWriter::read(AttemptPtr attempt) {
  std::vector<std::string> keys;
  for (const DocumentEdit& each : attempt->edit.documents) {
    keys.push_back(each.key);
  }
  auto state = co_await publisher_.read(std::move(keys));
  if (!state) {
    co_return state.error();
  }
  attempt->state = std::move(*state);
  co_return "";
}

bool CenterWriter::is_written(const Attempt& attempt) const {
  return std::all_of(attempt.edit.documents.begin(), attempt.edit.documents.end(),
                     [&attempt](const DocumentEdit& each) {
                       const auto found = attempt.state.documents.find(each.key);
                       const bool there = found != attempt.state.documents.end();
                       return (there ? fleet::body_of(found->second.text) : std::nullopt) ==
                              each.text;
                     });
}

/// Whether what the writer has looked at here is what the store has.
asio::awaitable<bool> CenterWriter::catches_up(AttemptPtr attempt) {
  const TimePoint until = monotonic_now() + kSeenWithin;
  while (!stopped_ && hooks_.center().applied < attempt->state.generation_revision &&
         monotonic_now() < until) {
    co_await pause();
  }
  const std::vector<std::string>& wanted = attempt->edit.digests;
  co_return hooks_.center().applied >=
          attempt->state.generation_revision&& std::find(wanted.begin(), wanted.end(),
                                                         tag_of(hooks_.in_force().digest)) !=
      wanted.end();
}

asio::awaitable<void> CenterWriter::check(AttemptPtr attempt) {
  const auto looked = std::make_shared<asio::steady_timer>(context_, TimePoint::max());
  auto look = [source = source_, attempt] {
    const auto current = [&attempt](const std::string& key) {
      const auto found = attempt->state.documents.find(key);
      return found != attempt->state.documents.end() ? fleet::body_of(found->second.text)
                                                     : std::nullopt;
    };
    attempt->changes = changes_of(attempt->edit, *source, current, attempt->outcome);
    if (attempt->changes) {
      static_cast<void>(can_be(attempt->edit, *source, *attempt->changes, attempt->outcome));
    }
  };
  hooks_.loader->run(std::move(look), [looked] { looked->cancel(); });
  error_code ignored;
  co_await looked->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

std::vector<fleet::PushedDocument> CenterWriter::documents_of(
    const Attempt& attempt, const fleet::PushOptions& options) const {
  std::vector<fleet::PushedDocument> documents =
      publisher_.prepare(attempt.state, *attempt.changes, options);
  for (fleet::PushedDocument& each : documents) {
    if (const auto brought = attempt.envelopes.find(each.key); brought != attempt.envelopes.end()) {
      each.after = brought->second;
    }
  }
  return documents;
}

/// Why nothing was written, if it is worth another look.
asio::awaitable<std::string> CenterWriter::push(AttemptPtr attempt) {
  const fleet::PushOptions options{.author = utf8_repaired(attempt->edit.author),
                                   .message = utf8_repaired(attempt->edit.message),
                                   .key = nullptr,
                                   .now = wall_now()};
  std::vector<fleet::PushedDocument> documents = documents_of(*attempt, options);
  const std::string held = fleet::held_by_rollout(attempt->state, documents);
  if (!held.empty()) {
    refuse(attempt->outcome, Kind::kConflict, held);
    co_return "";
  }
  for (const fleet::PushedDocument& each : documents) {
    const auto before = fleet::read_envelope(each.before.value_or(""));
    const auto after = fleet::read_envelope(each.after.value_or(""));
    if (attempt->envelopes.contains(each.key) && before && after->sequence <= before->sequence) {
      refuse(attempt->outcome, Kind::kMismatch,
             fmt::format("{}: its version {} is not after {}", each.key, after->sequence,
                         before->sequence));
      co_return "";
    }
  }
  // Else it would be several generations, and not all or nothing.
  if (!fleet::Publisher::fits_at_once(documents)) {
    refuse(attempt->outcome, Kind::kTooMuch, "");
    co_return "";
  }
  auto generation = co_await publisher_.push(attempt->state, std::move(documents), options);
  if (!generation) {
    co_return generation.error();
  }
  attempt->outcome.generation = *generation;
  co_return "";
}

/// Waits until it is in force here, or says why it is not.
asio::awaitable<void> CenterWriter::settle(AttemptPtr attempt) {
  attempt->outcome.generation = std::max(attempt->outcome.generation, attempt->state.generation);
  const std::string unread = co_await read(attempt);
  const int64_t revision = attempt->state.generation_revision;
  const TimePoint until = monotonic_now() + kInForceWithin;
  while (!stopped_ && unread.empty() && hooks_.center().applied < revision &&
         monotonic_now() < until) {
    co_await pause();
  }
  const ConfigCenterStatus center = hooks_.center();
  if (!unread.empty() || center.applied < revision) {
    refuse(attempt->outcome, Kind::kPending,
           !unread.empty()        ? unread
           : center.error.empty() ? "this gateway has not seen it yet"
                                  : center.error);
    co_return;
  }
  if (center.documents.lost_store) {
    refuse(attempt->outcome, Kind::kPending,
           "the config centre has no documents any more, which needs config_center.confirm_empty");
  }
  for (const config::Refusal& each : center.documents.refused) {
    const auto& edited = attempt->edit.documents;
    if (std::any_of(edited.begin(), edited.end(),
                    [&each](const DocumentEdit& one) { return one.key == each.key; })) {
      refuse(attempt->outcome, Kind::kPending, fmt::format("{}: {}", each.key, each.reason));
    }
  }
}

asio::awaitable<void> CenterWriter::pause() {
  asio::steady_timer timer(context_, kPoll);
  error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace hangu::control
