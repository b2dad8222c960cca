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

inline TypePtr<Percent> percent() {
  return std::make_unique<PercentType>();
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

/// As list(), into a list whose elements generations share.
template <class T>
TypePtr<SharedList<T>> shared_list(TypePtr<T> element, ListOptions options) {
  return std::make_unique<SharedListType<T>>(std::move(element), options);
}

inline TypePtr<std::vector<Cidr>> networks() {
  return list(text<Cidr>(kCidrRule),
              {.name = "list of networks", .example = "[10.0.0.0/8]", .warn_repeated = true});
}

/// A mapping that may be left out or be `off`; T::enabled says which.
template <class T>
class SwitchedType final : public TypeOf<T> {
 public:
  /// `example`: a mapping.
  explicit SwitchedType(std::string_view example)
      : example_(example),
        mapping_("mapping, or `off`") {}

  ObjectType<T>& mapping() { return mapping_; }

  void read(Reader& reader, const Node& node, void* out) const override {
    auto& value = *static_cast<T*>(out);
    if (node.kind == Node::Kind::kScalar) {
      const std::optional<Scalar> scalar = reader.scalar(node);
      const std::optional<bool> on = scalar ? parse_switch(scalar->text) : std::nullopt;
      if (on) {
        value.enabled = *on;
      } else if (scalar) {
        reader.error(node.mark, wrong_type("`off` or a mapping", example_, node));
      }
      return;
    }
    value.enabled = node.kind == Node::Kind::kMapping;
    mapping_.read(reader, node, out);
  }

  Value to_value(const Config& config, const void* value) const override {
    const bool enabled = static_cast<const T*>(value)->enabled;
    return enabled ? mapping_.to_value(config, value) : Value::scalar("off");
  }

  std::string name() const override { return mapping_.name(); }

  std::string schema() const override { return "\"enum\":[true,false,\"on\",\"off\"]"; }

  const Fields* fields() const override { return mapping_.fields(); }

 private:
  std::string_view example_;
  ObjectType<T> mapping_;
};

template <class T>
std::unique_ptr<SwitchedType<T>> switched(std::string_view example) {
  return std::make_unique<SwitchedType<T>>(example);
}

/// A mapping that is printed only if anything of it was given: where a part of it is required, what
/// is not given could not be read back.
template <class T>
class GivenType final : public TypeOf<T> {
 public:
  explicit GivenType(std::unique_ptr<ObjectType<T>> mapping)
      : mapping_(std::move(mapping)) {}

  void read(Reader& reader, const Node& node, void* out) const override {
    mapping_->read(reader, node, out);
  }

  Value to_value(const Config& config, const void* value) const override {
    return *static_cast<const T*>(value) == T{} ? Value{} : mapping_->to_value(config, value);
  }

  std::string name() const override { return mapping_->name(); }

  const Fields* fields() const override { return mapping_->fields(); }

 private:
  std::unique_ptr<ObjectType<T>> mapping_;
};

template <class T>
TypePtr<T> if_given(std::unique_ptr<ObjectType<T>> mapping) {
  return std::make_unique<GivenType<T>>(std::move(mapping));
}

inline TypePtr<Mode> mode() {
  return choice<Mode>(
      {{"enforce", Mode::kEnforce}, {"shadow", Mode::kShadow}, {"off", Mode::kOff}});
}

inline constexpr std::string_view kModeDocumentation =
    "`shadow`: log and count what it would have refused, refuse nothing. `off`: do nothing.";

// The table of each section; see schema.h.
TypePtr<Listener> listener_keys();
TypePtr<Upstream> upstream_keys();
TypePtr<RateLimit> rate_limit_keys();
TypePtr<Store> store_keys();
TypePtr<ConfigCenter> config_center_keys();
TypePtr<ForwardAuth> forward_auth_keys();
TypePtr<AuditLog> audit_keys();
/// `audit` of a route.
TypePtr<AuditLevel> route_audit();
TypePtr<ConcurrencyLimit> concurrency_limit_keys();
TypePtr<BandwidthLimit> bandwidth_limit_keys();
TypePtr<AdaptiveConcurrency> adaptive_concurrency_keys();
TypePtr<Admission> admission_keys();
TypePtr<Overload> overload_keys();
TypePtr<Plugin> plugin_keys();
TypePtr<Shutdown> shutdown_keys();
TypePtr<Upgrade> upgrade_keys();
TypePtr<ReloadWindow> reload_keys();
/// One of `plugins` of a route.
TypePtr<PluginUse> plugin_use_keys();

}  // namespace hangu::config
