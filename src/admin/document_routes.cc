#include "admin/document_routes.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/query.h"
#include "hangu/audit/record.h"
#include "hangu/base/utf8.h"
#include "hangu/config/assembly.h"
#include "hangu/control/config_editor.h"
#include "hangu/http/text.h"
#include "hangu/tls/digest.h"

#include "admin/document_rights.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

using control::ConfigEdit;
using control::DocumentEdit;
using control::DocumentStoreKind;
using control::EditOutcome;
using control::Precondition;

constexpr std::string_view kYamlMark = "-yaml";  // ETags of the two forms differ
constexpr std::string_view kBusyRetryS = "1";
constexpr size_t kMessageBytesMax = 1000;
constexpr size_t kFieldBytesMax = 1024;
constexpr size_t kTagDigits = 32;

std::string etag(std::string_view tag, bool yaml = false) {
  return fmt::format("\"{}{}\"", tag, yaml ? kYamlMark : std::string_view());
}

json::value etag_or_null(const std::string& tag) {
  return tag.empty() ? json::value(nullptr) : json::value(etag(tag));
}

/// Members beside those that every problem has.
Reply with(Reply reply, const json::object& more) {
  json::object body = json::parse(reply.body).as_object();
  for (const auto& [name, value] : more) {
    body[name] = value;
  }
  reply.body = json::serialize(body) + "\n";
  return reply;
}

Reply no_source() {
  return problem(409, "config.no_file", "the config of this process is in no file");
}

std::string_view to_string(DocumentStoreKind store) {
  switch (store) {
    case DocumentStoreKind::kLocal: return "local";
    case DocumentStoreKind::kCenter: return "config_center";
    case DocumentStoreKind::kNone: break;
  }
  return "none";
}

// What is asked.

/// "a", "b"; nullopt: they are no entity tags. Weak ones are none of ours.
std::optional<std::vector<std::string>> read_etags(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    text = http::trim_ows(text);
    const bool weak = text.starts_with("W/");
    text.remove_prefix(weak ? 2 : 0);
    const size_t end = text.starts_with('"') ? text.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    std::string_view tag = text.substr(1, end - 1);
    tag.remove_suffix(tag.ends_with(kYamlMark) ? kYamlMark.size() : 0);
    out.emplace_back(weak ? std::string_view("W/") : tag);
    text = http::trim_ows(text.substr(end + 1));
    if (text.empty()) {
      return out;
    }
    if (text.front() != ',') {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
}

std::optional<Precondition> read_condition(std::string_view if_match,
                                           std::string_view if_none_match) {
  Precondition condition;
  if (!if_none_match.empty()) {
    condition.is_absent = http::trim_ows(if_none_match) == "*";
    return condition.is_absent && if_match.empty() ? std::optional(condition) : std::nullopt;
  }
  if (http::trim_ows(if_match) == "*") {
    condition.is_present = true;
  } else if (!if_match.empty()) {
    auto tags = read_etags(if_match);
    if (!tags) {
      return std::nullopt;
    }
    condition.digests = std::move(*tags);
  }
  return condition;
}

Reply bad_condition() {
  return problem(400, "config.bad_match",
                 "If-Match has entity tags or *, If-None-Match has *; not both");
}

enum class MediaType : uint8_t { kJson, kYaml, kOther };

/// Who does not say sends YAML, which JSON is, too.
MediaType media_type(std::string_view content_type) {
  const std::string_view type = http::trim_ows(content_type.substr(0, content_type.find(';')));
  const auto is = [type](std::string_view name) { return http::equals_ignore_case(type, name); };
  if (is("application/json")) {
    return MediaType::kJson;
  }
  return type.empty() || is("application/yaml") || is("application/x-yaml") || is("text/yaml")
             ? MediaType::kYaml
             : MediaType::kOther;
}

Reply bad_media_type() {
  return problem(415, "config.media_type",
                 "send application/json or application/yaml (curl: -H 'Content-Type: "
                 "application/yaml')");
}

/// JSON as YAML reads it: what YAML does not know of it is written otherwise.
Result<std::string, std::string> json_document(const std::string& body) {
  json::error_code error;
  const json::value value = json::parse(body, error);
  if (error) {
    return Failure<std::string>{"the body is no JSON: " + error.message()};
  }
  const bool plain = body.find("\\u") == std::string::npos && body.find("\\/") == std::string::npos;
  return plain ? body : json::serialize(value);
}

/// ?dry_run=true, and nothing else; nullopt: something else.
std::optional<bool> read_dry_run(std::string_view query) {
  const auto fields = parse_query(query);
  bool dry_run = false;
  for (const auto& [name, value] : fields ? *fields : QueryFields{}) {
    if (name != "dry_run" || (value != "true" && value != "false")) {
      return std::nullopt;
    }
    dry_run = value == "true";
  }
  return fields ? std::optional(dry_run) : std::nullopt;
}

Reply bad_query() {
  return problem(400, "admin.bad_query", "the only parameter is dry_run: true or false");
}

ConfigEdit edit_of(const Caller& caller) {
  ConfigEdit edit;
  edit.actor = caller.actor;
  edit.author = caller.name.empty() ? caller.actor : caller.name;
  std::replace(edit.author.begin(), edit.author.end(), ' ', ',');
  if (caller.role) {
    edit.refuse = [role = *caller.role](std::string_view key,
                                        const std::optional<std::string>& before,
                                        const std::optional<std::string>& after) {
      return refused_change(role, key, before, after);
    };
  }
  return edit;
}

// What is answered.

json::value diagnostics_json(const std::vector<config::Diagnostic>& diagnostics) {
  return json::parse(config::diagnostics_to_json(diagnostics));
}

json::array edited_json(const EditOutcome& outcome) {
  json::array all;
  for (const control::EditedDocument& each : outcome.documents) {
    all.push_back({{"key", each.key},
                   {"before", etag_or_null(each.before)},
                   {"etag", etag_or_null(each.after)}});
  }
  return all;
}

/// 412 and its kin: what there is, so that whoever asked can look and ask again.
Reply mismatch(const EditOutcome& outcome) {
  json::array current;
  for (const control::EditedDocument& each : outcome.documents) {
    current.push_back({{"key", each.key}, {"etag", etag_or_null(each.before)}});
  }
  json::object more = {{"config_etag", etag(outcome.digest)}, {"documents", current}};
  Reply reply = problem(412, "config.mismatch", outcome.error);
  if (outcome.documents.size() == 1) {
    more["etag"] = current[0].at("etag");
    if (!outcome.documents[0].before.empty()) {
      reply.fields = {{"ETag", etag(outcome.documents[0].before)}};
    }
  }
  return with(std::move(reply), more);
}

Reply invalid(const EditOutcome& outcome) {
  return with(problem(422, "config.invalid", outcome.error),
              {{"diagnostics", diagnostics_json(outcome.diagnostics)}});
}

Reply busy(int status, std::string_view code, const std::string& detail) {
  Reply reply = problem(status, code, detail);
  reply.fields = {{"Retry-After", std::string(kBusyRetryS)}};
  return reply;
}

Reply done_reply(const EditOutcome& outcome, bool dry_run) {
  const bool pending = outcome.kind == EditOutcome::Kind::kPending;
  const bool created =
      outcome.documents.size() == 1 && outcome.documents[0].before.empty() && !dry_run;
  json::object body = {{"dry_run", dry_run},
                       {"in_force", !dry_run && !pending},
                       {"generation", outcome.generation},
                       {"config_etag", etag(outcome.digest)},
                       {"documents", edited_json(outcome)},
                       {"warnings", diagnostics_json(outcome.diagnostics)}};
  if (pending) {
    body["reason"] = outcome.error;
  }
  Reply reply{pending   ? 202
              : created ? 201
                        : 200,
              "application/json",
              json::serialize(body) + "\n",
              {}};
  if (outcome.documents.size() == 1 && !outcome.documents[0].after.empty()) {
    reply.fields = {{"ETag", etag(outcome.documents[0].after)}};
  }
  return reply;
}

Reply too_many() {
  return problem(
      413, "config.too_many",
      fmt::format("a change has at most {} documents", control::ConfigEditor::kDocumentsMax));
}

Reply outcome_reply(const EditOutcome& outcome, bool dry_run) {
  using Kind = EditOutcome::Kind;
  switch (outcome.kind) {
    case Kind::kDone:
    case Kind::kPending: return done_reply(outcome, dry_run);
    case Kind::kReadOnly:
      return problem(403, "config.read_only",
                     "the config does not let the API write: `admin.writable`");
    case Kind::kForbidden: return problem(403, "config.forbidden", outcome.error);
    case Kind::kInFile: return problem(409, "config.in_file", outcome.error);
    case Kind::kNotFound: return problem(404, "config.no_document", outcome.error);
    case Kind::kMismatch: return mismatch(outcome);
    case Kind::kInvalid: return invalid(outcome);
    case Kind::kRefused: return problem(422, "config.refused", outcome.error);
    case Kind::kUnsigned: return problem(403, "config.unsigned", outcome.error);
    case Kind::kConflict: return busy(409, "config.conflict", outcome.error);
    case Kind::kTooMuch: return too_many();
    case Kind::kUnreachable: return busy(503, "config.unreachable", outcome.error);
    case Kind::kNotStored: return problem(507, "config.not_stored", outcome.error);
    case Kind::kBusy: break;
  }
  return busy(503, "config.busy",
              outcome.error.empty() ? "other changes are under way" : outcome.error);
}

// What is recorded.

/// "routes/users", "routes/users and 2 more".
std::string object_of(const ConfigEdit& edit) {
  return edit.documents.size() == 1
             ? edit.documents.front().key
             : fmt::format("{} and {} more", edit.documents.front().key, edit.documents.size() - 1);
}

/// What the store, or who decides, has made of it; nullopt: it was not tried.
std::optional<audit::Event> event_of(const EditOutcome& outcome) {
  using Kind = EditOutcome::Kind;
  switch (outcome.kind) {
    case Kind::kDone:
      return std::any_of(outcome.documents.begin(), outcome.documents.end(),
                         [](const auto& each) { return each.before != each.after; })
                 ? std::optional(audit::Event::kConfigApplied)
                 : std::nullopt;
    case Kind::kPending: return audit::Event::kConfigApplied;
    case Kind::kInvalid:
    case Kind::kRefused:
    case Kind::kUnsigned:
    case Kind::kConflict:
    case Kind::kUnreachable:
    case Kind::kNotStored: return audit::Event::kConfigRefused;
    default: return std::nullopt;
  }
}

/// Of whom an edit is, and what it is about, when it has come to its end.
struct Recorded {
  std::string actor;
  std::string object;   // the documents
  std::string request;  // "PUT /config/documents/routes/a"
  bool dry_run = false;
  bool by_center = false;  // a local one is recorded as the reload that it is
};

void record(control::Daemon& daemon, const Recorded& edit, const EditOutcome& outcome) {
  if (outcome.kind == EditOutcome::Kind::kForbidden) {
    daemon.record_admin({.event = audit::Event::kAdminDenied,
                         .outcome = audit::Outcome::kDenied,
                         .actor = edit.actor,
                         .object = edit.request,
                         .reason = outcome.error,
                         .detail = {}});
    return;
  }
  const auto event = edit.by_center && !edit.dry_run ? event_of(outcome) : std::nullopt;
  if (!event) {
    return;
  }
  const bool applied = *event == audit::Event::kConfigApplied;
  const bool one = outcome.documents.size() == 1;
  daemon.record_admin(
      {.event = *event,
       .outcome = applied ? audit::Outcome::kOk : audit::Outcome::kFailed,
       .actor = edit.actor,
       .object = edit.object,
       .reason = outcome.error,
       .detail = fmt::format("store=config_center generation={}", outcome.generation),
       .before = one ? outcome.documents[0].before : "",
       .after = one ? outcome.documents[0].after : ""});
}

/// Looks at what the config demands of writers, and writes.
void write(const Admitted& asked, ConfigEdit edit, Context& context, Done done) {
  control::ConfigEditor* editor = context.daemon.editor();
  if (editor == nullptr) {
    done(no_source());
    return;
  }
  const bool matched =
      !edit.digests.empty() ||
      std::none_of(edit.documents.begin(), edit.documents.end(),
                   [](const DocumentEdit& each) { return each.condition.empty(); });
  if (context.daemon.config()->admin.require_match && !edit.dry_run && !matched) {
    done(problem(428, "config.match_required",
                 "say what it builds on: If-Match with the document's ETag, or If-None-Match: *"));
    return;
  }
  const std::string& target = asked.request.target;
  Recorded recorded{.actor = edit.actor,
                    .object = object_of(edit),
                    .request = asked.request.method + " " + target.substr(0, target.find('?')),
                    .dry_run = edit.dry_run,
                    .by_center = editor->status().store == DocumentStoreKind::kCenter};
  editor->edit(std::move(edit), [&daemon = context.daemon, recorded = std::move(recorded),
                                 done = std::move(done)](const EditOutcome& outcome) {
    record(daemon, recorded, outcome);
    done(outcome_reply(outcome, recorded.dry_run));
  });
}

/// One document, put or removed.
void write_one(const Admitted& asked, std::optional<std::string> text, Context& context,
               Done done) {
  const auto dry_run = read_dry_run(asked.query);
  auto condition = read_condition(asked.request.if_match, asked.request.if_none_match);
  if (!dry_run || !condition) {
    done(!dry_run ? bad_query() : bad_condition());
    return;
  }
  ConfigEdit edit = edit_of(asked.caller);
  edit.dry_run = *dry_run;
  edit.documents.push_back({asked.key, std::move(text), std::move(*condition)});
  write(asked, std::move(edit), context, std::move(done));
}

/// Answers if the path names nothing that can be a document.
bool refuse_key(const std::string& key, const Done& done) {
  const std::string wrong = config::document_key_error(key);
  if (!wrong.empty()) {
    done(problem(404, "config.no_document", wrong));
  }
  return !wrong.empty();
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
}

/// One of {"key": ..., "document": {...} or null, or "yaml": "...", "if_match": ...}.
Result<DocumentEdit, std::string> read_change(const json::value& value) {
  const json::object* object = value.if_object();
  DocumentEdit edit;
  edit.key = object != nullptr ? std::string(text_of(*object, "key")) : "";
  if (edit.key.empty()) {
    return Failure<std::string>{"each of `changes` is an object with a `key`"};
  }
  if (std::string wrong = config::document_key_error(edit.key); !wrong.empty()) {
    return Failure<std::string>{std::move(wrong)};
  }
  for (const auto& [name, ignored] : *object) {
    if (name != "key" && name != "document" && name != "yaml" && name != "if_match" &&
        name != "if_none_match") {
      return Failure<std::string>{
          fmt::format("{}: no member is called `{}`", edit.key, std::string_view(name))};
    }
  }
  const json::value* document = object->if_contains("document");
  const json::value* yaml = object->if_contains("yaml");
  if ((document == nullptr) == (yaml == nullptr) || (yaml != nullptr && !yaml->is_string())) {
    return Failure<std::string>{
        fmt::format("{}: needs `document`, an object or null, or `yaml`, a text", edit.key)};
  }
  if (yaml != nullptr) {
    edit.text = std::string(text_of(*object, "yaml"));
  } else if (!document->is_null()) {
    edit.text = json::serialize(*document);
  }
  auto condition = read_condition(text_of(*object, "if_match"), text_of(*object, "if_none_match"));
  if (!condition) {
    return Failure<std::string>{
        fmt::format("{}: `if_match` has entity tags or *, `if_none_match` has *", edit.key)};
  }
  edit.condition = std::move(*condition);
  return edit;
}

Failure<Reply> bad_changes(const std::string& why) {
  return {problem(400, "config.bad_changes", why)};
}

/// {"message": "...", "changes": [...]}.
Result<void, Reply> read_changes(const std::string& body, ConfigEdit& edit) {
  json::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* changes = object != nullptr ? object->if_contains("changes") : nullptr;
  if (changes == nullptr || !changes->is_array() || changes->get_array().empty()) {
    return bad_changes("the body is an object with a list `changes`, not empty");
  }
  if (changes->get_array().size() > control::ConfigEditor::kDocumentsMax) {
    return Failure<Reply>{too_many()};
  }
  edit.message = utf8_prefix(text_of(*object, "message"), kMessageBytesMax);
  std::set<std::string> keys;
  for (const json::value& each : changes->get_array()) {
    auto change = read_change(each);
    if (!change) {
      return bad_changes(change.error());
    }
    if (!keys.insert(change->key).second) {
      return bad_changes(fmt::format("{} stands twice in `changes`", change->key));
    }
    edit.documents.push_back(std::move(*change));
  }
  return {};
}

bool accepts_yaml(std::string_view accept) {
  const size_t yaml = accept.find("yaml");
  return yaml != std::string_view::npos && yaml < accept.find("json");
}

/// Whether If-None-Match names it: then who asks has it.
bool is_known(const Request& request, const std::string& tag) {
  const auto tags = read_etags(request.if_none_match);
  return tags && std::find(tags->begin(), tags->end(), tag) != tags->end();
}

/// As it fits into a field: printable, and not longer than clients take.
std::string field_value(std::string_view text) {
  std::string out(utf8_prefix(text, kFieldBytesMax));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
  return out;
}

json::array elements_json(const std::vector<config::ElementSummary>& elements) {
  json::array all;
  for (const config::ElementSummary& each : elements) {
    json::object one = {{"key", each.key},
                        {"source", each.in_file ? "file" : "document"},
                        {"etag", etag_or_null(each.digest)},
                        {"in_force", each.in_force}};
    if (!each.refusal.empty()) {
      one["reason"] = each.refusal;
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

void list_documents(const Admitted& asked, Context& context, Done done) {
  control::ConfigEditor* editor = context.daemon.editor();
  if (editor == nullptr) {
    done(no_source());
    return;
  }
  editor->list([&context, done = std::move(done),
                request = asked.request](const control::ElementList& list) {
    const DocumentStoreKind kind = context.daemon.editor()->status().store;
    const std::string_view store = to_string(kind);
    Reply reply;
    reply.body = json::serialize(json::object{{"generation", context.daemon.config()->generation},
                                              {"config_etag", etag(list.digest)},
                                              {"store", json::string(store.data(), store.size())},
                                              {"writable", kind != DocumentStoreKind::kNone},
                                              {"documents", elements_json(list.elements)}}) +
                 "\n";
    // Of what is listed, which what is in force does not decide: documents may be refused.
    const std::string tag = tls::sha256_hex(reply.body).substr(0, kTagDigits);
    reply.fields = {{"ETag", etag(tag)}};
    if (!request.if_none_match.empty() && is_known(request, tag)) {
      reply.status = 304;
      reply.body.clear();
    }
    done(std::move(reply));
  });
}

void get_document(const Admitted& asked, Context& context, Done done) {
  control::ConfigEditor* editor = context.daemon.editor();
  if (editor == nullptr || refuse_key(asked.key, done)) {
    if (editor == nullptr) {
      done(no_source());
    }
    return;
  }
  const bool yaml = accepts_yaml(asked.request.accept);
  editor->element(asked.key, [yaml, done = std::move(done), key = asked.key,
                              request = asked.request](std::optional<config::Element> found) {
    if (!found) {
      done(problem(404, "config.no_document", fmt::format("there is no {}", key)));
      return;
    }
    const config::ElementSummary& summary = found->summary;
    Reply reply;
    reply.fields = {{"ETag", etag(summary.digest, yaml)},
                    {"Vary", "Accept"},
                    {"Hangu-Source", summary.in_file ? "file" : "document"}};
    if (!summary.in_force) {
      reply.fields.emplace_back("Hangu-Refused", field_value(summary.refusal));
    }
    if (is_known(request, summary.digest)) {
      reply.status = 304;
    } else {
      reply.content_type = yaml ? "application/yaml" : "application/json";
      reply.body = yaml ? std::move(found->yaml) : std::move(found->json) + "\n";
    }
    done(std::move(reply));
  });
}

void put_document(const Admitted& asked, Context& context, Done done) {
  if (refuse_key(asked.key, done)) {
    return;
  }
  const MediaType type = media_type(asked.request.content_type);
  if (type == MediaType::kOther) {
    done(bad_media_type());
    return;
  }
  std::string text = asked.request.body;
  if (type == MediaType::kJson) {
    auto document = json_document(text);
    if (!document) {
      done(problem(400, "config.bad_json", document.error()));
      return;
    }
    text = std::move(*document);
  }
  write_one(asked, std::move(text), context, std::move(done));
}

void delete_document(const Admitted& asked, Context& context, Done done) {
  if (!refuse_key(asked.key, done)) {
    write_one(asked, std::nullopt, context, std::move(done));
  }
}

void change_documents(const Admitted& asked, Context& context, Done done) {
  if (media_type(asked.request.content_type) == MediaType::kOther) {
    done(problem(415, "config.media_type", "send application/json"));
    return;
  }
  const auto dry_run = read_dry_run(asked.query);
  const auto condition = read_condition(asked.request.if_match, asked.request.if_none_match);
  if (!dry_run || !condition || condition->is_absent || condition->is_present) {
    done(!dry_run ? bad_query() : bad_condition());
    return;
  }
  ConfigEdit edit = edit_of(asked.caller);
  edit.dry_run = *dry_run;
  edit.digests = condition->digests;
  if (auto read = read_changes(asked.request.body, edit); !read) {
    done(read.error());
    return;
  }
  write(asked, std::move(edit), context, std::move(done));
}

}  // namespace hangu::admin
