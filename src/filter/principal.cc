#include "hangu/filter/principal.h"

#include <memory>

#include "hangu/filter/stream.h"

namespace hangu::filter {

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
  return std::chrono::duration_cast<std::chrono::seconds>(stream.info.wall_time.time_since_epoch())
      .count();
}

void take_consumer(Principal& principal, const ConsumerEntry& consumer) noexcept {
  principal.consumer = consumer.config->name;
  principal.groups = consumer.groups;
  principal.scopes = consumer.scopes;
}

}  // namespace hangu::filter
