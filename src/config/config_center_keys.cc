// The keys of `config_center`. See schema.cc.
#include <algorithm>

#include <fmt/format.h>

#include "config/etcd_keys.h"
#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/rollout_keys.h"
#include "config/secret_type.h"
#include "config/text.h"

namespace hangu::config {
namespace {

std::optional<Problem> apply_prefix(std::string& text) {
  const bool good = text.starts_with('/') && text.size() <= 256 &&
                    std::none_of(text.begin(), text.end(), is_control) &&
                    text.find("//") == std::string::npos;
  if (!good) {
    return Problem{"E0177", fmt::format("{} is no prefix of keys", quoted(text)),
                   "write a path, such as /hangu/"};
  }
  if (!text.ends_with('/')) {
    text += '/';
  }
  return std::nullopt;
}

const TextRule kPrefixRule = {"prefix", "/gateways/east/", "begins with `/`", "^/", apply_prefix};

/// How many have to be known at a time: more would be forgotten before their time.
void check_shared_keys(Reader& reader, const Node& node, const SharedKeys& keys) {
  constexpr size_t kSecretsMax = 4;
  if (keys.secrets.size() > kSecretsMax) {
    reader.error(child(node, "secrets").mark,
                 {"E0136", fmt::format("{} secrets at most", kSecretsMax), ""});
  }
  if (keys.lead >= keys.rotation) {
    reader.error(
        child(node, "lead").mark,
        {"E0136", "a key is replaced before it is used: `lead` is not less than `rotation`", ""});
  }
  constexpr int64_t kKeptMax = 6;
  if ((keys.keep + keys.rotation - Duration(1)) / keys.rotation > kKeptMax) {
    reader.error(child(node, "keep").mark,
                 {"E0136", fmt::format("that is more than {} `rotation`s", kKeptMax),
                  "rotate less often, or keep for a shorter time"});
  }
}

void check_config_center(Reader& reader, const Node& node, const ConfigCenter& center) {
  if (center.enabled && center.endpoints.empty()) {
    reader.error(node.mark, {"E0137", "`config_center` names no server",
                             "add `endpoints: [\"http://127.0.0.1:2379\"]`"});
  }
  check_etcd_access(reader, node, {center.username, center.password, center.tls});
  if (center.approvals > 1 && center.approvals > center.trusted_keys.size()) {
    reader.error(child(node, "approvals").mark,
                 {"E0136",
                  fmt::format("{} approvals need as many `trusted_keys`, there are {}",
                              center.approvals, center.trusted_keys.size()),
                  ""});
  }
  if (!center.keys.secrets.empty() && !center.member) {
    reader.error(child(node, "keys").mark,
                 {"E0136", "shared keys are for members, and there is `member: off`", ""});
  }
}

void add_server(ObjectType<ConfigCenter>& type) {
  type.key<&ConfigCenter::endpoints>(
          list(text(kHttpUriRule),
               {.name = "list of URLs", .example = "[\"http://127.0.0.1:2379\"]"}),
          {.name = "endpoints",
           .documentation =
               "The members of the etcd cluster; the next one is asked when one fails.",
           .example = "[\"https://etcd-1.example.org:2379\", \"https://etcd-2.example.org:2379\"]",
           .reload = kRestart})
      .key<&ConfigCenter::prefix>(
          text(kPrefixRule),
          {.name = "prefix",
           .documentation = "What the names of its keys begin with. Nodes that have it in common "
                            "have their config in common.",
           .example = "/gateways/east/",
           .reload = kRestart})
      .key<&ConfigCenter::username>(text(kTextRule), {.name = "username",
                                                      .documentation = "User of etcd. Empty: none.",
                                                      .example = "gateway",
                                                      .reload = kRestart,
                                                      .alternative = true})
      .key<&ConfigCenter::password>(std::make_unique<SecretType>(),
                                    {.name = "password",
                                     .documentation = "Of that user.",
                                     .example = "file:/run/secrets/etcd",
                                     .reload = kRestart,
                                     .alternative = true})
      .key<&ConfigCenter::tls>(etcd_tls_keys(kRestart),
                               {.name = "tls",
                                .documentation = "For endpoints with `https`.",
                                .example = "{ca: /etc/ssl/own-ca.pem}",
                                .reload = kRestart})
      .key<&ConfigCenter::timeout>(duration(milliseconds(100), minutes(1)),
                                   {.name = "timeout",
                                    .documentation = "How long a question may take.",
                                    .example = "2s",
                                    .reload = kRestart});
}

void add_membership(ObjectType<ConfigCenter>& type) {
  type.key<&ConfigCenter::member>(
          on_off(), {.name = "member",
                     .documentation = "Write below `nodes/` how this node does, and take part in "
                                      "the election of who drives rollouts. Without it etcd is "
                                      "only read.",
                     .example = "off",
                     .reload = kRestart})
      .key<&ConfigCenter::labels>(
          list(text(kLabelRule), {.name = "list of labels", .example = "[zone=east]"}),
          {.name = "labels",
           .documentation = "Of this node, for the stages of rollouts.",
           .example = "[zone=east, canary=yes]",
           .reload = kRestart,
           .alternative = true})
      .key<&ConfigCenter::session_timeout>(
          duration(seconds(2), minutes(5)),
          {.name = "session_timeout",
           .documentation = "A node that has not been heard of for so long is gone, and another "
                            "one drives in its place. Whole seconds.",
           .example = "5s",
           .reload = kRestart})
      .key<&ConfigCenter::rollout>(
          rollout_keys(), {.name = "rollout",
                           .documentation = "How `hangu config push --rollout` does it, with the "
                                            "config of the machine that pushes.",
                           .example = "{stages: [canary=yes, 100%], every: 10m}"});
}

TypePtr<SharedKeys> shared_keys() {
  auto type = object<SharedKeys>("mapping");
  type->key<&SharedKeys::secrets>(
          list<Secret>(std::make_unique<SecretType>(32),
                       {.name = "list of secrets", .example = "[\"file:/run/secrets/fleet\"]"}),
          {.name = "secrets",
           .documentation =
               "What the shared keys are encrypted with in the store: by the first; what any of "
               "them has encrypted is read. The same on all nodes; 4 at most. Empty: each node "
               "has keys of its own.",
           .example = "[\"file:/run/secrets/fleet\"]",
           .reload = kRestart,
           .alternative = true})
      .key<&SharedKeys::rotation>(duration(seconds(2), hours(24 * 30)),
                                  {.name = "rotation",
                                   .documentation = "How long a key seals tickets and sessions "
                                                    "before the next one does.",
                                   .example = "24h",
                                   .reload = kRestart})
      .key<&SharedKeys::lead>(duration(seconds(1), hours(24)),
                              {.name = "lead",
                               .documentation = "How long all nodes know a key before it seals.",
                               .example = "1m",
                               .reload = kRestart})
      .key<&SharedKeys::keep>(
          duration(seconds(1), hours(24 * 90)),
          {.name = "keep",
           .documentation = "How long a key still opens what it has sealed, at least; 6 times "
                            "`rotation` at most.",
           .example = "48h",
           .reload = kRestart})
      .check(check_shared_keys);
  return type;
}

}  // namespace

TypePtr<ConfigCenter> config_center_keys() {
  auto type = switched<ConfigCenter>("{endpoints: [\"http://127.0.0.1:2379\"]}");
  ObjectType<ConfigCenter>& keys = type->mapping();
  add_server(keys);
  add_membership(keys);
  keys.key<&ConfigCenter::keys>(
      shared_keys(),
      {.name = "keys",
       .documentation = "Keys of TLS session tickets and of login sessions that all nodes have in "
                        "common, so that a client can go on at any of them. See docs/fleet.md.",
       .example = "{secrets: [\"file:/run/secrets/fleet\"]}",
       .reload = kRestart});
  keys.key<&ConfigCenter::trusted_keys>(
          list(text(kFilePathRule),
               {.name = "list of file paths", .example = "[/etc/hangu/keys/li.pub]"}),
          {.name = "trusted_keys",
           .documentation = "PEM files with public Ed25519 keys. What none of them has signed is "
                            "refused. Empty: no signature is needed.",
           .example = "[/etc/hangu/keys/li.pub, /etc/hangu/keys/wang.pub]",
           .reload = kRestart,
           .alternative = true})
      .key<&ConfigCenter::approvals>(
          number<uint32_t>({1, 16}),
          {.name = "approvals",
           .documentation = "How many of the keys must have signed a document: with 2, no one "
                            "changes a gateway alone.",
           .example = "2",
           .reload = kRestart,
           .alternative = true})
      .key<&ConfigCenter::cache>(
          on_off(), {.name = "cache",
                     .documentation = "Keep the last good documents in `state_dir`, so that the "
                                      "gateway can start while the store cannot be reached.",
                     .example = "off",
                     .reload = kRestart})
      .key<&ConfigCenter::cache_key>(
          std::make_unique<SecretType>(16),
          {.name = "cache_key",
           .documentation = "Secret that the cache is encrypted with. Empty: it is not.",
           .example = "file:/run/secrets/config-cache",
           .reload = kRestart,
           .alternative = true})
      .key<&ConfigCenter::confirm_empty>(
          on_off(),
          {.name = "confirm_empty",
           .documentation = "Take a store without any documents at its word. Else it is taken for "
                            "a store that has lost them, and what is in force stays.",
           .example = "on",
           .reload = kRestart})
      .check(check_config_center);
  return type;
}

}  // namespace hangu::config
