// `hangu config`: what stands in the config centre, and changes of it; without one, those of a
// gateway: config_gateway.h.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "hangu/base/utf8.h"
#include "hangu/base/visible.h"
#include "hangu/config/documents.h"
#include "hangu/config/print.h"
#include "hangu/control/process.h"
#include "hangu/fleet/rollout_store.h"
#include "hangu/tls/signature.h"

#include "cli/config_gateway.h"
#include "cli/config_store.h"
#include "cli/element_files.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

using fleet::PushedDocument;
using fleet::PushRecord;

struct Open {
  std::unique_ptr<ConfigStore> store;
  fleet::StoreState state;
};

Result<Open, int> open_store(const std::string& config, const Environment& environment) {
  auto store = ConfigStore::open(config);
  if (!store) {
    print_error(environment, store.error());
    return Failure<int>{kInvalidConfig};
  }
  auto state = (*store)->ask((*store)->publisher().read());
  if (!state) {
    print_error(environment, state.error());
    return Failure<int>{kRuntimeFailure};
  }
  return Open{std::move(*store), std::move(*state)};
}

std::string author_of(const ConfigChangeOptions& options) {
  if (!options.author.empty()) {
    return options.author;
  }
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && fleet::is_author(value)) {
      return value;
    }
  }
  return fmt::format("uid-{}", ::getuid());
}

void print_lines(std::string_view text, std::string_view mark, std::string_view color,
                 const Palette& palette, std::ostream& out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out << color << mark << visible(text.substr(0, end)) << palette.off << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void print_change(const PushedDocument& document, const Environment& environment) {
  const Palette palette(environment.color_out);
  const auto before = fleet::body_of(document.before);
  const auto after = fleet::body_of(document.after);
  const std::string_view sign = !before ? "+" : (!after ? "-" : "~");
  environment.out << palette.bold << sign << ' ' << visible(document.key) << palette.off << '\n';
  print_lines(before.value_or(""), "    - ", palette.red, palette, environment.out);
  print_lines(after.value_or(""), "    + ", palette.green, palette, environment.out);
}

/// The files' elements, what is to be removed, and with `prune` the removal of what they lack.
Result<std::vector<config::Document>, int> wanted_changes(const ConfigChangeOptions& options,
                                                          const fleet::StoreState& state,
                                                          const Environment& environment) {
  auto changes = read_elements(options, environment);
  if (!changes) {
    return Failure<int>{changes.error()};
  }
  std::set<std::string> keys;
  for (const config::Document& each : *changes) {
    keys.insert(each.key);
  }
  for (const std::string& key : options.removals) {
    if (!state.documents.contains(key)) {
      print_error(environment, fmt::format("the store has no {}", key));
      return Failure<int>{kUsage};
    }
    if (!keys.insert(key).second) {
      print_error(environment, fmt::format("{} is in a file, and to be removed", key));
      return Failure<int>{kUsage};
    }
    changes->push_back({key, std::nullopt});
  }
  for (const auto& [key, entry] : state.documents) {
    if (options.prune && !keys.contains(key)) {
      changes->push_back({key, std::nullopt});
    }
  }
  return changes;
}

/// Whether a gateway would believe all of them.
std::string first_refusal(const ConfigStore& store, const std::string& prefix,
                          const std::vector<PushedDocument>& documents) {
  for (const PushedDocument& each : documents) {
    if (!each.after && store.trust().needs_signatures()) {
      return fmt::format("{}: a removal has to be signed", each.key);
    }
    const auto envelope = fleet::read_envelope(each.after.value_or(""));
    const std::string reason =
        envelope ? store.trust().refusal(prefix + each.key, *envelope) : envelope.error();
    if (!reason.empty()) {
      return fmt::format("{}: {}", each.key, reason);
    }
  }
  return "";
}

/// Begins a rollout of documents, or makes them everybody's at once.
int publish(Open& open, std::vector<PushedDocument> documents, const fleet::PushOptions& push,
            bool by_rollout, const Environment& environment) {
  const size_t count = documents.size();
  std::string error = by_rollout ? fleet::begin_error(open.state, documents)
                                 : fleet::held_by_rollout(open.state, documents);
  if (!error.empty()) {
    print_error(environment, error);
    return kRuntimeFailure;
  }
  if (by_rollout) {
    const fleet::Rollout rollout =
        fleet::make_rollout(open.store->options().rollout, std::move(documents), push);
    const auto begun = open.store->ask(open.store->rollouts().begin(open.state, rollout));
    if (!begun) {
      print_error(environment, begun.error());
      return kRuntimeFailure;
    }
    environment.out << fmt::format("{} documents, rollout {}: `hangu rollout status --follow`\n",
                                   count, rollout.id);
    return kOk;
  }
  const auto generation =
      open.store->ask(open.store->publisher().push(open.state, std::move(documents), push));
  if (!generation) {
    print_error(environment, generation.error());
    return kRuntimeFailure;
  }
  environment.out << fmt::format("{} documents changed, generation {}\n", count, *generation);
  return kOk;
}

int propose(Open& open, const fleet::PushOptions& push, std::vector<PushedDocument> documents,
            const std::string& reason, const Environment& environment) {
  const auto id = open.store->ask(open.store->publisher().propose(std::move(documents), push));
  if (!id) {
    print_error(environment, id.error());
    return kRuntimeFailure;
  }
  environment.out << fmt::format(
      "proposal {}: {}\nsomebody else approves it: hangu config approve {} --key KEY\n", *id,
      reason, *id);
  return kOk;
}

int write_changes(Open& open, const std::vector<config::Document>& changes,
                  const ConfigChangeOptions& options, const Environment& environment) {
  std::optional<tls::SigningKey> key;
  if (!options.key.empty()) {
    auto loaded = tls::SigningKey::load(options.key);
    if (!loaded) {
      print_error(environment, loaded.error());
      return kUsage;
    }
    key = std::move(*loaded);
  }
  const fleet::PushOptions push{.author = author_of(options),
                                .message = utf8_repaired(options.message),
                                .key = key ? &*key : nullptr,
                                .by_rollout = options.by_rollout,
                                .now = control::wall_now()};
  fleet::Publisher& publisher = open.store->publisher();
  std::vector<PushedDocument> documents = publisher.prepare(open.state, changes, push);
  for (const PushedDocument& each : documents) {
    print_change(each, environment);
  }
  if (documents.empty() || options.dry_run) {
    environment.out << fmt::format("{} documents {}, generation {}\n", documents.size(),
                                   documents.empty() ? "change" : "would change",
                                   open.state.generation);
    return kOk;
  }
  const std::string refusal = first_refusal(*open.store, publisher.documents_prefix(), documents);
  if (!refusal.empty() && key && open.store->options().approvals > 1) {
    return propose(open, push, std::move(documents), refusal, environment);
  }
  if (!refusal.empty()) {
    print_error(environment, "the gateways would not believe it: " + refusal,
                key ? "" : "sign with --key FILE; `hangu audit keygen` makes keys");
    return kUsage;
  }
  return publish(open, std::move(documents), push, options.by_rollout, environment);
}

/// As a gateway would, before anything is written.
bool check_changes(const Open& open, const std::vector<config::Document>& changes,
                   const Environment& environment) {
  const std::vector<config::Diagnostic> found = open.store->check(open.state, changes);
  if (!found.empty()) {
    environment.err << config::format_diagnostics(found, environment.color_err);
  }
  return std::none_of(found.begin(), found.end(), [](const config::Diagnostic& each) {
    return each.severity == config::Severity::kError;
  });
}

void print_record(const PushRecord& record, const Environment& environment) {
  environment.out << fmt::format(
      "{:>10}  {}  {:<16} {:>4} documents  {}\n",
      visible(record.id.empty() ? std::to_string(record.generation) : record.id),
      visible(record.time), visible(record.author), record.documents.size(),
      visible(record.message));
}

int approve_one(Open& open, const ConfigChangeOptions& options, const Environment& environment) {
  fleet::Publisher& publisher = open.store->publisher();
  auto proposal = open.store->ask(publisher.read_proposal(options.proposal));
  if (!proposal) {
    print_error(environment, proposal.error());
    return kRuntimeFailure;
  }
  if (options.key.empty()) {  // somebody looks before they sign
    print_record(*proposal, environment);
    for (const PushedDocument& each : proposal->documents) {
      print_change(each, environment);
    }
    environment.out << "to approve it, sign with --key FILE\n";
    return kOk;
  }
  auto key = tls::SigningKey::load(options.key);
  if (!key) {
    print_error(environment, key.error());
    return kUsage;
  }
  std::vector<config::Document> changes;
  for (PushedDocument& each : proposal->documents) {
    const auto known = open.state.documents.find(each.key);
    const bool same =
        known == open.state.documents.end() ? !each.before : each.before == known->second.text;
    if (!same) {
      print_error(environment,
                  fmt::format("{} has changed since it was proposed; propose it again", each.key));
      return kRuntimeFailure;
    }
    print_change(each, environment);
    auto envelope = fleet::read_envelope(each.after.value_or(""));
    if (envelope) {
      fleet::sign(*envelope, publisher.documents_prefix() + each.key, *key);
      each.after = fleet::to_text(*envelope);
    }
    changes.push_back({each.key, fleet::body_of(each.after)});
  }
  if (!check_changes(open, changes, environment)) {
    return kInvalidConfig;
  }
  const std::string refusal =
      first_refusal(*open.store, publisher.documents_prefix(), proposal->documents);
  if (!refusal.empty()) {
    auto kept = open.store->ask(publisher.keep_proposal(*proposal));
    if (!kept) {
      print_error(environment, kept.error());
      return kRuntimeFailure;
    }
    environment.out << "signed; " << refusal << '\n';
    return kOk;
  }
  const fleet::PushOptions push{.author = proposal->author,
                                .message = proposal->message,
                                .key = nullptr,
                                .by_rollout = proposal->by_rollout,
                                .now = control::wall_now()};
  const int code = publish(open, proposal->documents, push, proposal->by_rollout, environment);
  if (code == kOk) {
    static_cast<void>(open.store->ask(publisher.drop_proposal(proposal->id)).has_value());
  }
  return code;
}

}  // namespace

int config_push(const ConfigChangeOptions& options, const Environment& environment) {
  if (is_about_a_gateway(options)) {
    return push_to_gateway(options, environment);
  }
  auto open = open_store(options.target.config, environment);
  if (!open) {
    return open.error();
  }
  if (options.expected_generation && *options.expected_generation != open->state.generation) {
    print_error(environment, fmt::format("the store is at generation {}, not {}: somebody has "
                                         "pushed since",
                                         open->state.generation, *options.expected_generation));
    return kRuntimeFailure;
  }
  const auto changes = wanted_changes(options, open->state, environment);
  if (!changes) {
    return changes.error();
  }
  if (!check_changes(*open, *changes, environment)) {
    print_error(environment, "nothing was written");
    return kInvalidConfig;
  }
  return write_changes(*open, *changes, options, environment);
}

int config_get(const ConfigChangeOptions& options, const Environment& environment) {
  if (is_about_a_gateway(options)) {
    return get_from_gateway(options, environment);
  }
  const auto open = open_store(options.target.config, environment);
  if (!open) {
    return open.error();
  }
  for (const auto& [key, entry] : open->state.documents) {
    const auto envelope = fleet::read_envelope(entry.text);
    const bool deleted = envelope && envelope->deleted;
    if (options.document.empty() && !deleted) {
      environment.out << fmt::format(
          "{:<40} {:<20} {}\n", key, envelope ? envelope->time : "",
          envelope && !envelope->author.empty() ? envelope->author : "-");
    } else if (options.document == key) {
      environment.out << entry.text << (entry.text.ends_with('\n') ? "" : "\n");
      return kOk;
    }
  }
  if (!options.document.empty()) {
    print_error(environment, fmt::format("the store has no {}", options.document));
    return kRuntimeFailure;
  }
  return kOk;
}

int config_history(const ConfigChangeOptions& options, const Environment& environment) {
  auto open = open_store(options.target.config, environment);
  if (!open) {
    return open.error();
  }
  fleet::Publisher& publisher = open->store->publisher();
  if (options.generation) {
    const auto record = open->store->ask(publisher.read_generation(*options.generation));
    if (!record) {
      print_error(environment, record.error());
      return kRuntimeFailure;
    }
    print_record(*record, environment);
    for (const PushedDocument& each : record->documents) {
      print_change(each, environment);
    }
    return kOk;
  }
  const auto records = open->store->ask(publisher.history(options.at_most));
  if (!records) {
    print_error(environment, records.error());
    return kRuntimeFailure;
  }
  for (const PushRecord& each : *records) {
    print_record(each, environment);
  }
  return kOk;
}

int config_rollback(const ConfigChangeOptions& options, const Environment& environment) {
  auto open = open_store(options.target.config, environment);
  if (!open) {
    return open.error();
  }
  const uint64_t target = options.generation.value_or(open->state.generation);
  if (target >= open->state.generation) {
    print_error(environment, fmt::format("the store is at generation {}: there is nothing after {}",
                                         open->state.generation, target));
    return kUsage;
  }
  // What stood before the first change after it.
  std::map<std::string, std::optional<std::string>> before;
  for (uint64_t number = target + 1; number <= open->state.generation; ++number) {
    const auto record = open->store->ask(open->store->publisher().read_generation(number));
    if (!record) {
      print_error(environment, record.error(), "it is too long ago");
      return kRuntimeFailure;
    }
    for (const PushedDocument& each : record->documents) {
      before.try_emplace(each.key, fleet::body_of(each.before));
    }
  }
  std::vector<config::Document> changes;
  for (auto& [key, body] : before) {
    changes.push_back({key, std::move(body)});
  }
  if (!check_changes(*open, changes, environment)) {
    print_error(environment, "nothing was written");
    return kInvalidConfig;
  }
  ConfigChangeOptions push = options;
  if (push.message.empty()) {
    push.message = fmt::format("rollback to generation {}", target);
  }
  return write_changes(*open, changes, push, environment);
}

int config_approve(const ConfigChangeOptions& options, const Environment& environment) {
  auto open = open_store(options.target.config, environment);
  if (!open) {
    return open.error();
  }
  if (!options.proposal.empty()) {
    return approve_one(*open, options, environment);
  }
  const auto proposals = open->store->ask(open->store->publisher().proposals());
  if (!proposals) {
    print_error(environment, proposals.error());
    return kRuntimeFailure;
  }
  for (const PushRecord& each : *proposals) {
    print_record(each, environment);
  }
  return kOk;
}

}  // namespace hangu::cli
