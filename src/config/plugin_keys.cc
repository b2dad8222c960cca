// The keys of one of `plugins`, and of one of `plugins` of a route. See schema.cc.
#include <algorithm>

#include "hangu/base/letter_case.h"

#include "config/keys.h"
#include "config/plugin_config_type.h"

namespace hangu::config {
namespace {

std::optional<Problem> apply_sha256(std::string& text) {
  text = lower_case(text);
  const bool good = text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  return good ? std::optional<Problem>()
              : Problem{"E0111", "a SHA-256 digest has 64 hexadecimal digits",
                        "`sha256sum FILE` prints it"};
}

const TextRule kSha256Rule = {"SHA-256 digest",
                              "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                              "64 hexadecimal digits", "^[0-9A-Fa-f]{64}$", apply_sha256};

/// Notes where it stands, too: what is wrong with the file is found out later.
class PluginPathType final : public ScalarType<Plugin> {
 public:
  std::string name() const override { return "file path"; }

  std::string schema() const override { return R"("type":"string","minLength":1)"; }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text,
                               Plugin& out) const override {
    out.path = text;
    return kFilePathRule.apply(out.path);
  }

  void complete(Reader& /*reader*/, const Node& node, Plugin& out) const override {
    out.place = place_of(node.mark);
  }

  Value format(const Config& /*config*/, const Plugin& value) const override {
    return value.path.empty() ? Value{} : Value::string(value.path);
  }

  std::string example() const override { return "/usr/lib/hangu/stamp.so"; }
};

/// Knows where it stands, even without a config.
class PluginUseType final : public TypeOf<PluginUse> {
 public:
  explicit PluginUseType(std::unique_ptr<ObjectType<PluginUse>> mapping)
      : mapping_(std::move(mapping)) {}

  void read(Reader& reader, const Node& node, void* out) const override {
    mapping_->read(reader, node, out);
    std::vector<PluginPlace>& places = static_cast<PluginUse*>(out)->config.places;
    if (places.empty()) {
      places.push_back({.pointer = "", .place = place_of(node.mark)});
    }
  }

  Value to_value(const Config& config, const void* value) const override {
    return mapping_->to_value(config, value);
  }

  std::string name() const override { return mapping_->name(); }

  const Fields* fields() const override { return mapping_->fields(); }

 private:
  std::unique_ptr<ObjectType<PluginUse>> mapping_;
};

void check_plugin(Reader& reader, const Node& node, const Plugin& plugin) {
  if (!plugin.signature.empty() && plugin.trusted_keys.empty()) {
    reader.error(child(node, "signature").mark,
                 {"E0136", "a `signature` is nothing without `trusted_keys`", ""});
  }
  if (!plugin.sha256.empty() && plugin.watch) {
    reader.error(child(node, "watch").mark,
                 {"E0136", "`watch` is for files that change, `sha256` allows only one", ""});
  }
}

void add_trust(ObjectType<Plugin>& type) {
  type.key<&Plugin::sha256>(
          text(kSha256Rule),
          {.name = "sha256",
           .documentation = "What the file's digest must be. Empty: any.",
           .example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           .alternative = true})
      .key<&Plugin::trusted_keys>(
          list(text(kFilePathRule),
               {.name = "list of file paths", .example = "[/etc/hangu/plugins.pub]"}),
          {.name = "trusted_keys",
           .documentation = "PEM files with public Ed25519 keys, one of which must have signed the "
                            "file; `hangu plugin sign` does that. Empty: no signature is needed.",
           .example = "[/etc/hangu/plugins.pub]",
           .alternative = true})
      .key<&Plugin::signature>(
          text(kFilePathRule),
          {.name = "signature",
           .documentation = "File with the signature: 64 bytes, or 128 hexadecimal digits. Empty: "
                            "`path` with `.sig`.",
           .example = "/etc/hangu/stamp.sig",
           .alternative = true});
}

}  // namespace

TypePtr<Plugin> plugin_keys() {
  auto type = object<Plugin>("plugin");
  type->key<&Plugin::name>(
          text(kNameRule),
          {.name = "name",
           .documentation = "Unique name; routes refer to it, and logs, metrics and `hangu plugin` "
                            "show it.",
           .example = "stamp",
           .required = true})
      .group(
          std::make_unique<PluginPathType>(),
          {.name = "path",
           .documentation = "The shared object. Hangu loads a copy in `state_dir`, so the file may "
                            "be replaced at any time; `hangu plugin swap`, `hangu reload` and "
                            "`watch` take the new one.",
           .example = "/usr/lib/hangu/stamp.so",
           .required = true});
  add_trust(*type);
  type->key<&Plugin::budget>(
          duration(milliseconds(1), seconds(10), "none"),
          {.name = "budget",
           .documentation = "Time that one call may take. A longer one is logged and counted; it "
                            "cannot be broken off.",
           .example = "5ms"})
      .key<&Plugin::on_error>(
          choice<PluginError>({{"refuse", PluginError::kRefuse}, {"pass", PluginError::kPass}}),
          {.name = "on_error",
           .documentation = "What becomes of a request whose call fails: `refuse` answers 500, or "
                            "breaks off what has begun; `pass` goes on without the plugin.",
           .example = "pass"})
      .key<&Plugin::watch>(
          on_off(), {.name = "watch",
                     .documentation = "Swap by itself when the file is replaced or written anew.",
                     .example = "on"})
      .check(check_plugin);
  return type;
}

TypePtr<PluginUse> plugin_use_keys() {
  auto type = object<PluginUse>("use of a plugin");
  type->key<&PluginUse::plugin>(
          std::make_unique<PluginRefType>("plugin", "plugins"),
          {.name = "use", .documentation = "Which plugin.", .example = "stamp", .required = true})
      .key<&PluginUse::mode>(
          mode(), {.name = "mode",
                   .documentation = "`shadow`: it is called, but what it would refuse is only "
                                    "logged and counted, and it changes nothing. `off`: it is "
                                    "not called.",
                   .example = "shadow"})
      .key<&PluginUse::config>(
          std::make_unique<PluginConfigType>(),
          {.name = "config",
           .documentation = "What the plugin is told, as its own documents say. Texts may be "
                            "`${VARIABLE}` or `file:/path`, and are secret then.",
           .example = "{header: x-stamp}",
           .alternative = true});
  return std::make_unique<PluginUseType>(std::move(type));
}

}  // namespace hangu::config
