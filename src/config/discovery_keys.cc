#include "config/discovery_keys.h"

#include <arpa/inet.h>

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"

#include "config/checks.h"
#include "config/endpoint_type.h"
#include "config/etcd_keys.h"
#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/secret_type.h"
#include "config/text.h"

namespace hangu::config {
namespace {

bool is_ip(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::optional<Problem> apply_dns_server(std::string& text) {
  Endpoint server;
  if (is_ip(text)) {
    const bool is_v6 = text.find(':') != std::string::npos;
    return Problem{"E0117", fmt::format("{} lacks the port", quoted(text)),
                   did_you_mean(fmt::format(fmt::runtime(is_v6 ? "[{}]:53" : "{}:53"), text))};
  }
  if (check_endpoint(text, server) || !is_ip(server.host)) {
    return Problem{
        "E0117",
        fmt::format("{} is no address of a DNS server such as 127.0.0.1:8600", quoted(text)), ""};
  }
  return std::nullopt;
}

std::optional<Problem> apply_registry_prefix(std::string& text) {
  constexpr size_t kMax = 256;
  if (text.empty() || text == "/" || text.size() > kMax ||
      std::any_of(text.begin(), text.end(), is_control)) {
    return Problem{"E0177", fmt::format("{} is no prefix of keys", quoted(text)),
                   "write a path, such as /services/orders/"};
  }
  if (!text.ends_with('/')) {
    text += '/';
  }
  return std::nullopt;
}

bool is_label(std::string_view label) {
  constexpr size_t kLabelMax = 63;
  return !label.empty() && label.size() <= kLabelMax &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

std::optional<Problem> apply_srv_name(std::string& text) {
  constexpr size_t kNameMax = 253;
  std::string name = lower_case(text);
  if (name.ends_with('.')) {
    name.pop_back();
  }
  bool good = !name.empty() && name.size() <= kNameMax;
  for (size_t begin = 0; good && begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    good = is_label(std::string_view(name).substr(begin, end - begin));
    begin = end + 1;
  }
  if (!good) {
    return Problem{"E0117", fmt::format("{} is no name of SRV records", quoted(text)),
                   "write one such as _http._tcp.orders.example.org"};
  }
  text = std::move(name);
  return std::nullopt;
}

const TextRule kRegistryPrefixRule = {"prefix", "/services/orders/", "", "", apply_registry_prefix};
const TextRule kSrvNameRule = {"name of SRV records", "_http._tcp.orders.example.org", "",
                               "^[A-Za-z0-9_.-]{1,254}$", apply_srv_name};

void check_registry(Reader& reader, const Node& node, const EtcdRegistry& registry) {
  check_etcd_access(reader, node, {registry.username, registry.password, registry.tls});
  for (const std::string_view key : {"username", "tls"}) {
    if (registry.endpoints.empty() && node.find(key) != nullptr) {
      reader.error(child(node, key).mark,
                   {"E0136",
                    fmt::format("`{}` is for `endpoints`: without them the etcd of "
                                "`config_center` is asked, as that says",
                                key),
                    ""});
    }
  }
}

void check_discovery(Reader& reader, const Node& node, const Discovery& discovery) {
  const int given = static_cast<int>(!discovery.etcd.prefix.empty()) +
                    static_cast<int>(!discovery.srv.empty()) +
                    static_cast<int>(!discovery.file.empty());
  if (given > 1) {
    reader.error(node.mark,
                 {"E0124", "instances come from `etcd`, `srv` or `file`, of one of these", ""});
  } else if (given == 0 && node.find("etcd") == nullptr && node.find("srv") == nullptr &&
             node.find("file") == nullptr) {
    reader.error(node.mark, {"E0121", "`discovery` says nothing of where to look",
                             "add `etcd`, `srv` or `file`"});
  }
  if (!discovery.srv.empty() && !discovery.labels.empty()) {
    reader.error(child(node, "labels").mark,
                 {"E0124",
                  "`labels` choose among instances of `etcd` or `file`: records of `srv` "
                  "have none",
                  ""});
  }
}

TypePtr<EtcdRegistry> registry_keys() {
  auto type = object<EtcdRegistry>("mapping");
  type->key<&EtcdRegistry::prefix>(
          text(kRegistryPrefixRule),
          {.name = "prefix",
           .documentation = "What the keys of the instances begin with. A value is an endpoint as "
                            "in `endpoints`: `10.0.0.7:9000`, or in JSON `{\"address\": "
                            "\"10.0.0.7:9000\", \"weight\": 3, \"priority\": 1, \"labels\": "
                            "{\"version\": \"2.0\"}}`.",
           .example = "/services/orders/",
           .required = true})
      .key<&EtcdRegistry::endpoints>(
          list(text(kHttpUriRule),
               {.name = "list of URLs", .example = "[\"http://127.0.0.1:2379\"]"}),
          {.name = "endpoints",
           .documentation = "The members of the etcd cluster. Empty: the etcd of `config_center`, "
                            "with its user and certificates.",
           .example = "[\"https://etcd-1.example.org:2379\"]"})
      .key<&EtcdRegistry::username>(text(kTextRule), {.name = "username",
                                                      .documentation = "User of etcd. Empty: none.",
                                                      .example = "gateway",
                                                      .alternative = true})
      .key<&EtcdRegistry::password>(std::make_unique<SecretType>(),
                                    {.name = "password",
                                     .documentation = "Of that user.",
                                     .example = "file:/run/secrets/etcd",
                                     .alternative = true})
      .key<&EtcdRegistry::tls>(etcd_tls_keys(ReloadClass::kLive),
                               {.name = "tls",
                                .documentation = "For endpoints with `https`.",
                                .example = "{ca: /etc/ssl/own-ca.pem}",
                                .alternative = true})
      .key<&EtcdRegistry::timeout>(
          duration(milliseconds(100), minutes(1)),
          {.name = "timeout", .documentation = "How long a question may take.", .example = "2s"})
      .check(check_registry);
  return if_given(std::move(type));
}

}  // namespace

const TextRule kDnsServerRule = {"address", "127.0.0.1:8600", "`ip:port` or `[ipv6]:port`",
                                 "^[0-9A-Fa-f.:\\[\\]]+:[0-9]{1,5}$", apply_dns_server};

TypePtr<Discovery> discovery_keys() {
  auto type = object<Discovery>("mapping");
  type->key<&Discovery::etcd>(
          registry_keys(),
          {.name = "etcd",
           .documentation = "Instances that services keep in an etcd, each under a lease.",
           .example = "{prefix: /services/orders/}",
           .alternative = true})
      .key<&Discovery::srv>(
          text(kSrvNameRule),
          {.name = "srv",
           .documentation = "SRV records: target and port, weight, and priority, of which the "
                            "least is 0 here. Asked again within the bounds of `dns`.",
           .example = "_http._tcp.orders.example.org",
           .alternative = true})
      .key<&Discovery::file>(
          text(kFilePathRule),
          {.name = "file",
           .documentation = "A file with a list of endpoints, as in `endpoints`, perhaps with "
                            "`labels`; it is read again when it changes.",
           .example = "/etc/hangu/orders.endpoints.yaml",
           .alternative = true})
      .key<&Discovery::labels>(
          std::make_unique<InstanceLabelsType>(),
          {.name = "labels",
           .documentation = "Of `etcd` or `file`, only instances that have all of these labels are "
                            "this upstream's. So several upstreams have a prefix or a file in "
                            "common.",
           .example = "{version: \"2.0\"}",
           .alternative = true})
      .check(check_discovery);
  return if_given(std::move(type));
}

}  // namespace hangu::config
