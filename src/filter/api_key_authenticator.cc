#include "hangu/filter/api_key_authenticator.h"

#include <fmt/format.h>

#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"

namespace hangu::filter {
namespace {

constexpr size_t kKeyBytesMax = 1024;

}  // namespace

ApiKeyAuthenticator::ApiKeyAuthenticator(const config::ApiKeyAuth& config,
                                         std::shared_ptr<const ConsumerTable> consumers)
    : config_(config),
      consumers_(std::move(consumers)) {
  for (const std::string& name : config_.headers) {
    fields_.push_back({http::header_name_from(name), name});
  }
  if (!config_.headers.empty()) {
    challenge_ = fmt::format("ApiKey header=\"{}\"", config_.headers.front());
  }
}

std::optional<std::string_view> ApiKeyAuthenticator::find(const Stream& stream) const noexcept {
  for (const Field& field : fields_) {
    if (field.token == http::HeaderName::kAuthorization) {
      if (const auto key = authorization(stream, "ApiKey")) {
        return key;
      }
    } else if (const auto* header = stream.request.headers.find(field.token, field.name)) {
      return header->value();
    }
  }
  for (const std::string& name : config_.query) {
    if (const auto key = http::query_parameter(stream.request.query, name)) {
      return key;
    }
  }
  for (const std::string& name : config_.cookies) {
    if (const auto key = http::cookie(stream.request.headers, name)) {
      return key;
    }
  }
  return std::nullopt;
}

AuthOutcome ApiKeyAuthenticator::authenticate(Stream& stream, const AuthAsker&) const noexcept {
  using Kind = AuthOutcome::Kind;
  const std::optional<std::string_view> key = find(stream);
  if (!key) {
    return {};
  }
  const ApiKeyEntry* const found =
      !key->empty() && key->size() <= kKeyBytesMax ? consumers_->find_key(*key) : nullptr;
  if (found == nullptr) {
    return {.kind = Kind::kRefused, .reason = "unknown_key"};
  }
  const int64_t now_s = unix_seconds(stream);
  if (found->config->expires_s != 0 && now_s >= found->config->expires_s) {
    return {.kind = Kind::kRefused, .reason = "expired"};
  }
  Principal& principal = make_principal(stream);
  principal.consumer = found->consumer->config->name;
  principal.method = "api_key";
  principal.credential = found->config->id;
  principal.groups = found->consumer->groups;
  principal.scopes = found->scopes;
  return {.kind = Kind::kProved, .principal = &principal};
}

void ApiKeyAuthenticator::strip(Stream& stream) const noexcept {
  for (const Field& field : fields_) {
    if (field.token == http::HeaderName::kAuthorization) {
      strip_authorization(stream, "ApiKey");
    } else {
      stream.request.headers.remove(field.token, field.name);
    }
  }
  strip_query_parameters(stream, config_.query);
  strip_cookies(stream, config_.cookies);
}

}  // namespace hangu::filter
