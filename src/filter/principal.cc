#include "hangu/filter/principal.h"

#include <algorithm>
#include <memory>

#include "hangu/base/unix_time.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

std::string_view join(std::span<const std::string_view> texts, buffer::Arena& arena) {
  size_t size = 0;
  for (const std::string_view text : texts) {
    size += text.size() + 1;
  }
  char* const begin = arena.allocate(size, 1);
  char* to = begin;
  for (const std::string_view text : texts) {
    if (to != begin) {
      *to++ = ',';
    }
    to = std::copy(text.begin(), text.end(), to);
  }
  return {begin, static_cast<size_t>(to - begin)};
}

/// Claims are whatever an issuer writes; a field takes no control characters.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte != 0x7f;
  });
}

}  // namespace

std::optional<std::string_view> Principal::find(std::string_view name) const noexcept {
  for (const NamedClaim& claim : claims) {
    if (claim.name == name) {
      return claim.value;
    }
  }
  return std::nullopt;
}

Principal& make_principal(Stream& stream) {
  return *std::construct_at(
      reinterpret_cast<Principal*>(stream.arena().allocate(sizeof(Principal), alignof(Principal))));
}

std::span<const std::string_view> join_texts(Stream& stream, const std::vector<std::string>& copied,
                                             std::span<const std::string_view> kept) {
  const size_t count = copied.size() + kept.size();
  if (count == 0) {
    return {};
  }
  auto* const list = reinterpret_cast<std::string_view*>(
      stream.arena().allocate(count * sizeof(std::string_view), alignof(std::string_view)));
  std::string_view* to = list;
  for (const std::string& text : copied) {
    std::construct_at(to++, stream.arena().copy(text));
  }
  for (const std::string_view text : kept) {
    std::construct_at(to++, text);
  }
  return {list, count};
}

int64_t unix_seconds(const Stream& stream) noexcept {
  return hangu::unix_seconds(stream.info.wall_time);
}

void accept_principal(Stream& stream, const Principal& principal) noexcept {
  stream.info.consumer = principal.consumer;
  stream.info.claims = &principal;
  stream.info.auth_method = principal.method;
  stream.info.credential = principal.credential;
  stream.kept.principal = &principal;
  tell_upstream(stream, kConsumerField, principal.consumer);
  tell_upstream(stream, kMethodField, principal.method);
  if (!principal.groups.empty()) {
    tell_upstream(stream, kGroupsField, join(principal.groups, stream.arena()));
  }
}

void tell_upstream(Stream& stream, std::string_view field, std::string_view value) noexcept {
  if (!value.empty() && is_field_value(value)) {
    static_cast<void>(stream.request.headers.set(field, value));
  }
}

void take_consumer(Principal& principal, const ConsumerEntry& consumer) noexcept {
  principal.consumer = consumer.config->name;
  principal.groups = consumer.groups;
  principal.scopes = consumer.scopes;
}

bool matches(const config::IdentityMatch& wanted, const Principal* who) noexcept {
  if (who == nullptr) {
    return wanted.empty();
  }
  const auto is_in = [](const auto& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  const auto has_claim = [&](const config::ClaimMatch& match) {
    return std::any_of(who->claims.begin(), who->claims.end(), [&](const NamedClaim& claim) {
      return claim.name == match.claim && is_in(match.values, claim.value);
    });
  };
  return (wanted.consumers.empty() || is_in(wanted.consumers, who->consumer)) &&
         (wanted.groups.empty() ||
          std::any_of(wanted.groups.begin(), wanted.groups.end(),
                      [&](const std::string& group) { return is_in(who->groups, group); })) &&
         std::all_of(wanted.scopes.begin(), wanted.scopes.end(),
                     [&](const std::string& scope) { return is_in(who->scopes, scope); }) &&
         std::all_of(wanted.claims.begin(), wanted.claims.end(), has_claim);
}

}  // namespace hangu::filter
