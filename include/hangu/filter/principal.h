// What authenticators need to tell who a client is: a Principal in the stream's arena, copies of
// lists, the time in seconds.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "hangu/config/identity.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"

namespace hangu::filter {

/// Lives as long as the stream's arena.
Principal& make_principal(Stream& stream);

/// Both lists in the arena; the texts of the first are copied, those of the second live on.
std::span<const std::string_view> join_texts(Stream& stream, const std::vector<std::string>& copied,
                                             std::span<const std::string_view> kept);

/// Of the time at which the request came.
int64_t unix_seconds(const Stream& stream) noexcept;

/// Whether a client is among those that are meant; nullptr: it has proved nothing.
bool matches(const config::IdentityMatch& wanted, const Principal* who) noexcept;

// The fields in which an upstream is told who the client is.
inline constexpr std::string_view kConsumerField = "x-consumer-name";
inline constexpr std::string_view kGroupsField = "x-consumer-groups";
inline constexpr std::string_view kMethodField = "x-consumer-auth";

/// The client is this one: for rules, limits, logs and the upstream.
void accept_principal(Stream& stream, const Principal& principal) noexcept;

/// Nothing for a value that is empty or cannot stand in a field: claims are whatever an issuer
/// writes.
void tell_upstream(Stream& stream, std::string_view field, std::string_view value) noexcept;

/// With groups and scopes as configured; these and the name need no copy.
void take_consumer(Principal& principal, const ConsumerEntry& consumer) noexcept;

}  // namespace hangu::filter
