#include "hangu/filter/forward_auth_filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hangu/base/letter_case.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/http/text.h"

namespace hangu::filter {
namespace {

using http::HeaderName;
using policy::AuthVerdict;

constexpr std::string_view kLoop = "loop";

size_t error_index(std::string_view reason) {
  const auto& reasons = stats::kForwardAuthErrors;
  return static_cast<size_t>(std::find(reasons.begin(), reasons.end() - 1, reason) -
                             reasons.begin());
}

/// As routing has seen it, with the query.
std::string_view uri_of(const http::RequestHead& request, std::string_view prefix,
                        buffer::Arena& arena) {
  return arena.concat({prefix, request.path, request.has_query ? "?" : "", request.query});
}

int64_t now_ns(const Stream& stream) {
  return stream.now().time_since_epoch().count();
}

/// "a, b" as a list, with the groups of a consumer that is known.
std::span<const std::string_view> groups_of(Stream& stream, std::string_view list,
                                            std::span<const std::string_view> known) {
  std::vector<std::string> own;
  while (!list.empty()) {
    const std::string_view group = http::next_list_element(list);
    if (!group.empty()) {
      own.emplace_back(group);
    }
  }
  return join_texts(stream, own, known);
}

AuthAnswer view_of(const KeptAuthAnswer& kept, std::span<http::ReplyField> space) {
  const size_t count = std::min(kept.fields.size(), space.size());
  for (size_t i = 0; i < count; ++i) {
    space[i] = {.name = kept.fields[i].first, .value = kept.fields[i].second};
  }
  return {.verdict = kept.verdict,
          .status = kept.status,
          .fields = space.first(count),
          .consumer = kept.consumer,
          .groups = kept.groups,
          .content_type = kept.content_type,
          .body = kept.body};
}

}  // namespace

ForwardAuthMemory::ForwardAuthMemory(uint32_t shards, uint32_t entries) {
  shards_.reserve(shards);
  for (uint32_t i = 0; i < shards; ++i) {
    shards_.emplace_back(entries);
  }
}

/// In the stream's arena while it waits.
struct ForwardAuthRound final : CalloutAsker {
  ForwardAuthRound(Stream& of, const ForwardAuthFilter& by)
      : stream(of),
        filter(by) {}

  void on_callout_answer(const CalloutAnswer& answer) noexcept override {
    filter.on_answer(*this, answer);
  }

  Stream& stream;
  const ForwardAuthFilter& filter;
  Callout* question = nullptr;
  identity::Digest key{};
  bool keyed = false;
};

ForwardAuthFilter::ForwardAuthFilter(const config::ForwardAuth& config, ForwardAuthParts parts)
    : config_(config),
      parts_(std::move(parts)),
      target_(parts_.cluster, config.timeout, kAnswerBytesMax),
      key_(config.cache.key, {}),
      appends_(!config.path_prefix.empty()),
      asked_(names_of(config.request_headers)),
      told_(names_of(config.response_headers)),
      passed_on_(names_of(config.client_headers)) {
  // "/check/" and "/a" are "/check/a".
  if (config_.path_prefix.ends_with('/')) {
    config_.path_prefix.pop_back();
  }
}

ForwardAuthFilter::FieldNames ForwardAuthFilter::names_of(const std::vector<std::string>& names) {
  FieldNames all;
  for (const std::string& name : names) {
    std::string lower = lower_case(name);
    const HeaderName token = http::header_name_from(lower);
    all.push_back({token, std::move(lower)});
  }
  return all;
}

bool ForwardAuthFilter::holds(const FieldNames& names, const http::Header& field) noexcept {
  return std::any_of(names.begin(), names.end(), [&](const FieldName& name) {
    return name.token == field.token &&
           (name.token != HeaderName::kOther || http::equals_ignore_case(name.name, field.name()));
  });
}

stats::ForwardAuthSlot& ForwardAuthFilter::slot(Stream& stream) const noexcept {
  return parts_.stats->slot(stream.shard().shard());
}

// --- the question -----------------------------------------------------------------------------

FilterStatus ForwardAuthFilter::on_request_headers(Stream& stream) const noexcept {
  if (config_.mode == config::Mode::kOff) {
    strip(stream);
    return FilterStatus::kContinue;
  }
  if (callout_depth(stream) >= policy::kCalloutDepthMax) {
    fail(stream, kLoop);
    return FilterStatus::kContinue;
  }
  identity::Digest digest{};
  const bool keyed = config_.cache.enabled && digest_of(stream, digest);
  const identity::Digest* const key = keyed ? &digest : nullptr;
  if (decide_at_once(stream, key)) {
    return FilterStatus::kContinue;
  }
  if (waits_for_body(stream)) {
    if (stream.collect_request_body(*this, config_.body.bytes_max)) {
      return FilterStatus::kPause;
    }
    if (!pass_too_large(stream)) {
      return FilterStatus::kContinue;
    }
  }
  ask(stream, key);
  return FilterStatus::kPause;
}

// --- the body ---------------------------------------------------------------------------------

bool ForwardAuthFilter::waits_for_body(Stream& stream) const noexcept {
  return config_.body.enabled && stream.has_body() && !stream.body_collected();
}

void ForwardAuthFilter::on_body_collected(Stream& stream) const noexcept {
  if (decide_at_once(stream, nullptr)) {
    stream.resume_request();
    return;
  }
  ask(stream, nullptr);
}

void ForwardAuthFilter::on_body_too_large(Stream& stream) const noexcept {
  if (pass_too_large(stream)) {
    on_body_collected(stream);
  } else {
    stream.resume_request();
  }
}

/// True: the service is asked without it. False: it has been refused, or would have been.
bool ForwardAuthFilter::pass_too_large(Stream& stream) const noexcept {
  if (config_.body.on_large == config::OnLargeBody::kOmit) {
    return true;
  }
  strip(stream);
  stream.info.rule = config_.name;
  if (config_.mode == config::Mode::kShadow) {
    slot(stream).shadow_refused.add();
    stream.note_shadow(name());
    return false;
  }
  slot(stream).refused.add();
  stream.on_request_error(stream.collection_error());
  return false;
}

/// All of it, or the word that it was left out.
void ForwardAuthFilter::show_body(Callout& question, Stream& stream) const noexcept {
  http::RequestHead& request = question.request();
  request.method = http::Method::kPost;
  request.method_text = "POST";
  bool fits = true;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty() && request.headers.find(name) == nullptr) {
      fits = request.headers.add_copy(name, value) && fits;
    }
  };
  // To ask twice is to ask: the proxy may send it again if a kept connection was closed.
  add("idempotency-key", stream.info.request_id);
  if (stream.body_collected()) {
    add("content-type", stream.request.headers.value(HeaderName::kContentType));
    add("content-encoding", stream.request.headers.value(HeaderName::kContentEncoding));
  } else {
    add("x-forwarded-body", "omitted");
  }
  static_cast<void>(fits);
}

/// Of the parts of the key, each with whether it is there at all.
bool ForwardAuthFilter::digest_of(const Stream& stream, identity::Digest& out) const noexcept {
  constexpr size_t kPartsMax = 16;
  std::array<std::string_view, 1 + kPartsMax> parts{parts_.secret};
  size_t count = 1;
  bool fits = true;
  key_.for_each(stream, [&](std::optional<std::string_view> value) {
    if (count + 2 > parts.size()) {
      fits = false;
      return;
    }
    parts[count++] = value ? "+" : "-";
    parts[count++] = value.value_or(std::string_view{});
  });
  return fits && identity::compute_digest(std::span(parts).first(count), out);
}

/// By what is known, or since nothing more may be asked.
bool ForwardAuthFilter::decide_at_once(Stream& stream, const identity::Digest* key) const noexcept {
  if (key != nullptr) {
    ForwardAuthMemory::Cache& cache = parts_.memory->shard(stream.shard().shard());
    if (const KeptAuthAnswer* const kept = cache.find(*key, now_ns(stream))) {
      std::array<http::ReplyField, kFieldsMax> space;
      slot(stream).cached.add();
      strip(stream);
      settle(stream, view_of(*kept, space));
      return true;
    }
  }
  if (slot(stream).active.value() >= config_.requests_max) {
    strip(stream);
    fail(stream, "busy");
    return true;
  }
  return false;
}

void ForwardAuthFilter::ask(Stream& stream, const identity::Digest* key) const noexcept {
  auto& round = *std::construct_at(reinterpret_cast<ForwardAuthRound*>(stream.arena().allocate(
                                       sizeof(ForwardAuthRound), alignof(ForwardAuthRound))),
                                   stream, *this);
  if (key != nullptr) {
    round.key = *key;
    round.keyed = true;
  }
  Callout& question = stream.shard().callouts().begin(stream, target_, round);
  fill_in(question, stream);
  const bool shows = config_.body.enabled && (stream.has_body() || stream.body_collected());
  if (shows) {
    show_body(question, stream);
  }
  strip(stream);
  round.question = &question;
  stream.kept.forward_auth = &round;
  slot(stream).active.add();
  question.send(target_for(stream, question.arena()),
                shows && stream.body_collected() ? question.arena().copy(stream.collected_body())
                                                 : std::string_view{});
}

std::string_view ForwardAuthFilter::target_for(const Stream& stream,
                                               buffer::Arena& arena) const noexcept {
  return appends_ ? uri_of(stream.request, config_.path_prefix, arena) : config_.path;
}

void ForwardAuthFilter::fill_in(Callout& question, Stream& stream) const noexcept {
  http::HeaderBlock& fields = question.request().headers;
  const http::RequestHead& request = stream.request;
  bool fits = true;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      fits = fields.add_copy(name, value) && fits;
    }
  };
  for (const http::Header& field : request.headers) {
    if (holds(asked_, field)) {
      add(field.name(), field.value());
    }
  }
  const auto take_over = [&](HeaderName token) {
    add(http::to_string(token), request.headers.value(token));
  };
  add("x-request-id", stream.info.request_id);
  take_over(HeaderName::kTraceparent);
  take_over(HeaderName::kTracestate);
  take_over(HeaderName::kXForwardedFor);
  take_over(HeaderName::kXForwardedProto);
  take_over(HeaderName::kXForwardedHost);
  add("x-forwarded-method", request.method_text);
  add("x-forwarded-uri", uri_of(request, {}, question.arena()));
  if (stream.kept.principal != nullptr) {
    add("x-consumer-name", stream.info.consumer);
  }
  // No more fields fit than a request may have: then the service knows less, and decides so.
  static_cast<void>(fits);
}

/// What only the service may tell the upstream.
void ForwardAuthFilter::strip(Stream& stream) const noexcept {
  for (const FieldName& field : told_) {
    stream.request.headers.remove(field.token, field.name);
  }
}

// --- the answer -------------------------------------------------------------------------------

void ForwardAuthFilter::on_answer(ForwardAuthRound& round,
                                  const CalloutAnswer& answer) const noexcept {
  Stream& stream = round.stream;
  stream.kept.forward_auth = nullptr;
  slot(stream).active.subtract();
  slot(stream).latency.record(answer.took);
  const AuthVerdict verdict =
      answer.fault.empty() ? policy::auth_verdict(answer.head->status) : AuthVerdict::kError;
  if (verdict == AuthVerdict::kError) {
    fail(stream, answer.fault.empty() ? std::string_view("status") : answer.fault);
  } else {
    std::array<http::ReplyField, kFieldsMax> space;
    const AuthAnswer read_answer = read(answer, verdict, space);
    const Duration ttl = policy::decision_ttl(config_.cache, verdict, answer.head->headers);
    if (round.keyed && ttl != Duration::zero()) {
      keep(stream, round.key, read_answer, ttl);
    }
    settle(stream, read_answer);
  }
  stream.resume_request();
}

AuthAnswer ForwardAuthFilter::read(const CalloutAnswer& answer, AuthVerdict verdict,
                                   std::span<http::ReplyField> space) const noexcept {
  const http::HeaderBlock& fields = answer.head->headers;
  const FieldNames& wanted = verdict == AuthVerdict::kAllow ? told_ : passed_on_;
  size_t count = 0;
  for (const http::Header& field : fields) {
    if (count < space.size() && holds(wanted, field)) {
      space[count++] = {.name = field.name(), .value = field.value()};
    }
  }
  const auto value = [&](const std::string& name) {
    const http::Header* const field = name.empty() ? nullptr : fields.find(name);
    return field != nullptr ? field->value() : std::string_view{};
  };
  AuthAnswer out{.verdict = verdict, .status = answer.head->status, .fields = space.first(count)};
  if (verdict == AuthVerdict::kAllow) {
    out.consumer = value(config_.consumer_header);
    out.groups = value(config_.groups_header);
  } else if (!answer.cut && !answer.body.empty()) {
    out.content_type = fields.value(HeaderName::kContentType);
    out.body = answer.body;
  }
  return out;
}

void ForwardAuthFilter::keep(Stream& stream, const identity::Digest& key, const AuthAnswer& answer,
                             Duration ttl) const noexcept {
  KeptAuthAnswer kept{.verdict = answer.verdict,
                      .status = answer.status,
                      .consumer = std::string(answer.consumer),
                      .groups = std::string(answer.groups),
                      .content_type = std::string(answer.content_type),
                      .body = std::string(answer.body)};
  size_t bytes =
      kept.consumer.size() + kept.groups.size() + kept.content_type.size() + kept.body.size();
  for (const http::ReplyField& field : answer.fields) {
    kept.fields.emplace_back(field.name, field.value);
    bytes += field.name.size() + field.value.size();
  }
  if (bytes <= kKeptBytesMax) {
    parts_.memory->shard(stream.shard().shard())
        .add(key, std::move(kept), now_ns(stream) + ttl.count());
  }
}

void ForwardAuthFilter::settle(Stream& stream, const AuthAnswer& answer) const noexcept {
  if (answer.verdict == AuthVerdict::kRefuse) {
    refuse(stream, answer);
    return;
  }
  slot(stream).allowed.add();
  for (const http::ReplyField& field : answer.fields) {
    static_cast<void>(stream.request.headers.add_copy(field.name, field.value));
  }
  identify(stream, answer);
}

void ForwardAuthFilter::identify(Stream& stream, const AuthAnswer& answer) const noexcept {
  if (answer.consumer.empty()) {
    return;
  }
  Principal& principal = make_principal(stream);
  if (stream.kept.principal != nullptr) {
    principal = *stream.kept.principal;
  }
  const ConsumerEntry* const known = parts_.consumers->find(answer.consumer);
  using Texts = std::span<const std::string_view>;
  principal.consumer = stream.arena().copy(answer.consumer);
  principal.groups =
      groups_of(stream, answer.groups, known != nullptr ? Texts(known->groups) : Texts{});
  if (known != nullptr) {
    principal.scopes = known->scopes;
  }
  if (principal.method.empty()) {
    principal.method = name();
  }
  accept_principal(stream, principal);
}

void ForwardAuthFilter::refuse(Stream& stream, const AuthAnswer& answer) const noexcept {
  stream.info.rule = config_.name;
  if (config_.mode == config::Mode::kShadow) {
    slot(stream).shadow_refused.add();
    stream.note_shadow(name());
    return;
  }
  slot(stream).refused.add();
  // They go with the answer of the service, the reply goes with the stream.
  std::array<http::ReplyField, kFieldsMax> fields;
  for (size_t i = 0; i < answer.fields.size(); ++i) {
    fields[i] = {.name = stream.arena().copy(answer.fields[i].name),
                 .value = stream.arena().copy(answer.fields[i].value)};
  }
  constexpr std::string_view kUnknownType = "application/octet-stream";
  const std::string_view type = answer.content_type.empty() ? kUnknownType : answer.content_type;
  stream.send_local_reply(
      {.status = answer.status,
       .code = "authz.refused",
       .detail = "the authorization service refuses this request",
       .fields = std::span(fields).first(answer.fields.size()),
       .content_type = answer.body.empty() ? std::string_view{} : stream.arena().copy(type),
       .body = answer.body},
      name());
}

/// It cannot be told whether the request may go on.
void ForwardAuthFilter::fail(Stream& stream, std::string_view reason) const noexcept {
  slot(stream).errors[error_index(reason)].add();
  stream.info.rule = config_.name;
  stream.info.auth_reason = reason;
  if (reason == kLoop) {  // in any case: it would go on
    stream.send_local_reply({.status = 508,
                             .code = "authz.loop",
                             .detail = "the question to the authorization service came back"},
                            name());
    return;
  }
  if (config_.on_error == config::OnAuthError::kAllow) {
    slot(stream).errors_allowed.add();
    return;
  }
  if (config_.mode == config::Mode::kShadow) {
    slot(stream).shadow_refused.add();
    stream.note_shadow(name());
    return;
  }
  const auto status = static_cast<int>(config_.status_on_error);
  stream.send_local_reply({.status = status,
                           .code = "authz.unavailable",
                           .detail = "it cannot be told now whether this request is allowed",
                           .retry_after_s = status == 503 || status == 429 ? 1U : 0U},
                          name());
}

void ForwardAuthFilter::on_stream_end(Stream& stream) const noexcept {
  if (ForwardAuthRound* const round = std::exchange(stream.kept.forward_auth, nullptr)) {
    slot(stream).active.subtract();
    round->question->cancel();
  }
}

}  // namespace hangu::filter
