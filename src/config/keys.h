// What the tables of keys are written with: one short function for each type of value.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "config/checks.h"
#include "config/scalar_types.h"
#include "config/type.h"

namespace hangu::config {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr ReloadClass kNewConnections = ReloadClass::kNewConnections;
inline constexpr ReloadClass kRestart = ReloadClass::kRestart;

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr uint64_t kGiB = 1024 * kMiB;

template <class T>
std::unique_ptr<ObjectType<T>> object(std::string_view name) {
  return std::make_unique<ObjectType<T>>(name);
}

template <class T>
TypePtr<T> number(NumberRange range) {
  return std::make_unique<NumberType<T>>(range);
}

inline TypePtr<Duration> duration(Duration least, Duration most, std::string_view zero_note = {}) {
  return std::make_unique<DurationType>(DurationRange{least, most, zero_note});
}

template <class T>
TypePtr<T> size(SizeRange range) {
  return std::make_unique<SizeType<T>>(range);
}

inline TypePtr<bool> on_off() {
  return std::make_unique<SwitchType>();
}

template <class T = std::string>
TypePtr<T> text(const TextRule& rule, TextOptions options = {}) {
  return std::make_unique<TextType<T>>(rule, options);
}

template <class T>
TypePtr<T> choice(typename ChoiceType<T>::Choices choices) {
  return std::make_unique<ChoiceType<T>>(std::move(choices));
}

template <class T>
TypePtr<std::vector<T>> list(TypePtr<T> element, ListOptions options) {
  return std::make_unique<ListType<T>>(std::move(element), options);
}

inline TypePtr<std::vector<Cidr>> networks() {
  return list(text<Cidr>(kCidrRule),
              {.name = "list of networks", .example = "[10.0.0.0/8]", .warn_repeated = true});
}

// The table of each section; see schema.h.
TypePtr<Listener> listener_keys();
TypePtr<Upstream> upstream_keys();

}  // namespace hangu::config
