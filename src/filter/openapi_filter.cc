#include "hangu/filter/openapi_filter.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/http/text.h"

#include "filter/action_counters.h"

namespace hangu::filter {
namespace {

using http::HeaderName;
using openapi::Document;
using openapi::Operation;
using openapi::Problem;
using openapi::Problems;

constexpr std::string_view kCode = "schema.invalid";

/// Where the parameters of a request are found.
class RequestParameters final : public openapi::ParameterSource {
 public:
  explicit RequestParameters(const http::RequestHead& request)
      : request_(request) {}

  std::string_view query() const override { return request_.query; }

  std::optional<std::string> header(std::string_view name) const override {
    std::optional<std::string> value;
    const HeaderName token = http::header_name_from(name);
    for (const http::Header& field : request_.headers) {
      if (field.token == token && http::equals_ignore_case(field.name(), name)) {
        value = value ? *value + ", " + std::string(field.value()) : std::string(field.value());
      }
    }
    return value;
  }

  std::optional<std::string_view> cookie(std::string_view name) const override {
    return http::cookie(request_.headers, name);
  }

 private:
  const http::RequestHead& request_;
};

void append_json(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < ' ' || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

/// RFC 9457, with what is wrong: {"in", "name", "pointer", "expected"} each.
std::string problem_json(const http::LocalReply& reply, std::string_view request_id,
                         const Problems& problems) {
  std::string out = fmt::format(
      R"({{"type":"about:blank","title":"{}","status":{},"code":"{}","detail":"{}","request_id":)",
      http::reason_phrase(reply.status), reply.status, reply.code, reply.detail);
  append_json(request_id, out);
  out += ",\"errors\":[";
  for (const Problem& problem : problems.list()) {
    out += out.ends_with('[') ? "{\"in\":\"" : ",{\"in\":\"";
    out.append(openapi::to_string(problem.place)).append("\"");
    const auto member = [&](std::string_view name, std::string_view value) {
      out.append(",\"").append(name).append("\":");
      append_json(value, out);
    };
    if (problem.place == openapi::Place::kBody) {
      member("pointer", problem.pointer);
    } else {
      member("name", problem.name);
      if (!problem.pointer.empty()) {
        member("pointer", problem.pointer);
      }
    }
    member("expected", problem.expected);
    out += '}';
  }
  return out + "]}";
}

bool is_encoded(const http::RequestHead& request) {
  const std::string_view coding = request.headers.value(HeaderName::kContentEncoding);
  return !coding.empty() && !http::equals_ignore_case(coding, "identity");
}

}  // namespace

OpenApiFilter::OpenApiFilter(const config::OpenApi& config)
    : config_(config),
      base_path_(config_.base_path.empty() ? config_.file.document->base_path()
                                           : config_.base_path) {}

FilterStatus OpenApiFilter::on_request_headers(Stream& stream) const noexcept {
  const Document::Found found = find(stream);
  if (found.operation == nullptr && config_.pass_unknown) {
    action_counters(stream).openapi_unchecked.add();
    return FilterStatus::kContinue;
  }
  if (!check_head(stream, found) || found.operation == nullptr) {
    return FilterStatus::kContinue;
  }
  return check_body(stream, *found.operation);
}

/// Behind the base, "" when it is not there.
std::string_view OpenApiFilter::path_of(const Stream& stream) const noexcept {
  std::string_view path = stream.request.path;
  if (base_path_.size() <= 1) {
    return path;
  }
  if (!path.starts_with(base_path_)) {
    return "";
  }
  path.remove_prefix(base_path_.size());
  return path.empty() ? "/" : path;
}

Document::Found OpenApiFilter::find(const Stream& stream) const noexcept {
  const std::string_view path = path_of(stream);
  return path.starts_with('/') ? config_.file.document->find(stream.request.method_text, path)
                               : Document::Found{};
}

/// False: it has been refused.
bool OpenApiFilter::check_head(Stream& stream, const Document::Found& found) const noexcept {
  Problems problems(config_.errors_max);
  if (found.operation == nullptr) {
    return found.path_known
               ? refuse(stream,
                        {.status = 405,
                         .code = kCode,
                         .detail = "the API has no such method here",
                         .allow = found.allow},
                        problems)
               : refuse(stream,
                        {.status = 404, .code = kCode, .detail = "the API has no such path"},
                        problems);
  }
  stream.info.rule = Document::name_of(*found.operation);
  config_.file.document->check_parameters(found, RequestParameters(stream.request), problems);
  if (problems.empty()) {
    return true;
  }
  return refuse(stream, {.status = 400, .code = kCode, .detail = "parameters are not as described"},
                problems);
}

FilterStatus OpenApiFilter::check_body(Stream& stream, const Operation& operation) const noexcept {
  Problems problems(config_.errors_max);
  const auto done = [&](int status, std::string_view detail, std::string_view expected) {
    problems.add({.place = openapi::Place::kBody,
                  .name = "",
                  .pointer = "",
                  .expected = std::string(expected)});
    static_cast<void>(
        refuse(stream, {.status = status, .code = kCode, .detail = detail}, problems));
    return FilterStatus::kContinue;
  };
  if (!stream.has_body()) {
    if (Document::needs_body(operation)) {
      return done(422, "there is no body", "a body");
    }
    action_counters(stream).openapi_passed.add();
    return FilterStatus::kContinue;
  }
  switch (Document::body_check(operation, stream.request.headers.value(HeaderName::kContentType))) {
    case Document::BodyCheck::kUnexpected: return done(422, "the body is not expected", "no body");
    case Document::BodyCheck::kUnknownType:
      return done(415, "the body is of another type", "a content type that is described");
    case Document::BodyCheck::kUnchecked:
      action_counters(stream).openapi_passed.add();
      return FilterStatus::kContinue;
    case Document::BodyCheck::kJson: break;
  }
  if (is_encoded(stream.request)) {
    return done(415, "the body is compressed", "a body without a content coding");
  }
  if (stream.body_collected()) {
    static_cast<void>(check_collected(stream, operation));
    return FilterStatus::kContinue;
  }
  if (!stream.collect_request_body(*this, config_.body_bytes_max)) {
    static_cast<void>(pass_too_large(stream));
    return FilterStatus::kContinue;
  }
  return FilterStatus::kPause;
}

void OpenApiFilter::on_body_collected(Stream& stream) const noexcept {
  const Document::Found found = find(stream);
  if (check_collected(stream, *found.operation)) {
    stream.resume_request();
  }
}

void OpenApiFilter::on_body_too_large(Stream& stream) const noexcept {
  if (pass_too_large(stream)) {
    stream.resume_request();
  }
}

bool OpenApiFilter::check_collected(Stream& stream, const Operation& operation) const noexcept {
  Problems problems(config_.errors_max);
  const std::string_view body = stream.collected_body();
  if (!body.empty() || Document::needs_body(operation)) {
    config_.file.document->check_body(
        operation, stream.request.headers.value(HeaderName::kContentType), body, problems);
  }
  if (problems.empty()) {
    action_counters(stream).openapi_passed.add();
    return true;
  }
  return refuse(stream, {.status = 422, .code = kCode, .detail = "the body is not as described"},
                problems);
}

bool OpenApiFilter::pass_too_large(Stream& stream) const noexcept {
  stats::RouteActionCounters& counters = action_counters(stream);
  if (config_.pass_large) {
    counters.openapi_unchecked.add();
    return true;
  }
  if (config_.mode == config::Mode::kShadow) {
    counters.openapi_shadow.add();
    stream.note_shadow(name());
    return true;
  }
  counters.openapi_refused.add();
  stream.on_request_error(stream.collection_error());
  return false;
}

/// True: it goes on all the same.
bool OpenApiFilter::refuse(Stream& stream, const http::LocalReply& reply,
                           const Problems& problems) const noexcept {
  stats::RouteActionCounters& counters = action_counters(stream);
  if (config_.mode == config::Mode::kShadow) {
    counters.openapi_shadow.add();
    stream.note_shadow(name());
    return true;
  }
  counters.openapi_refused.add();
  http::LocalReply told = reply;
  if (!problems.empty()) {
    told.content_type = "application/problem+json";
    told.body = stream.arena().copy(problem_json(reply, stream.info.request_id, problems));
  }
  stream.send_local_reply(told, name());
  return false;
}

}  // namespace hangu::filter
