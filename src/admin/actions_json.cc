#include "admin/actions_json.h"

#include <fmt/format.h>

#include "hangu/config/duration.h"
#include "hangu/config/size.h"
#include "hangu/policy/content_coding.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& each : list) {
    out += (out.empty() ? "" : ", ") + each;
  }
  return out;
}

std::string percent_text(config::Percent percent) {
  return fmt::format("{} %", percent.millionths / 10'000.0);
}

std::string cors_text(const config::Cors& cors) {
  std::vector<std::string> origins = cors.origins;
  origins.insert(origins.end(), cors.patterns.begin(), cors.patterns.end());
  return fmt::format("{}{} for pages of {}{}", joined(cors.methods),
                     cors.credentials ? ", with credentials," : "", joined(origins),
                     cors.refuse_others ? "; 403 for others" : "");
}

std::string compression_text(const config::Compression& compression) {
  std::string codings;
  for (const config::ContentCoding coding : compression.codings) {
    codings += codings.empty() ? "" : ", ";
    codings += policy::to_string(coding);
  }
  return fmt::format("{} from {}{}", codings, config::format_size(compression.bytes_min),
                     compression.with_credentials ? "" : "; not what goes with credentials");
}

std::string fault_text(const config::Fault& fault) {
  std::string out;
  if (fault.delay != Duration::zero()) {
    out = fmt::format("delays {} by {}", percent_text(fault.delay_percent),
                      config::format_duration(fault.delay));
  }
  if (fault.abort_status != 0) {
    out += fmt::format("{}answers {} with {}", out.empty() ? "" : ", ",
                       percent_text(fault.abort_percent), fault.abort_status);
  }
  return out + (fault.mode == config::Mode::kShadow ? " (shadow: only counted)" : "");
}

std::string mirror_text(const config::Config& config, const config::Mirror& mirror) {
  return fmt::format("{} to {}, bodies up to {}", percent_text(mirror.percent),
                     config.upstreams[mirror.upstream].name,
                     config::format_size(mirror.body_bytes_max));
}

std::string mode_text(config::Mode mode) {
  return mode == config::Mode::kShadow ? " (shadow: only logged)" : "";
}

std::string authentication_text(const config::Config& config, const config::Authentication& how) {
  const bool all = !how.all.empty();
  std::vector<std::string> names;
  for (const uint32_t index : all ? how.all : how.any) {
    const config::Authenticator& one = config.authenticators[index];
    names.push_back(one.oidc.enabled
                        ? fmt::format("{} (login at {})", one.name, one.oidc.id_token.issuer)
                        : one.name);
  }
  std::string text = (names.size() == 1 ? "by "
                      : all             ? "by all of "
                                        : "by one of ") +
                     joined(names);
  if (how.anonymous != config::kNoConsumer) {
    text += fmt::format("; without a credential as {}", config.consumers[how.anonymous].name);
  } else if (how.optional) {
    text += "; may be left out";
  }
  return text + mode_text(how.mode);
}

/// Empty: nobody wants to see bodies.
std::string digest_text(const config::Config& config, const config::Authentication& how) {
  const auto& asked = how.all.empty() ? how.any : how.all;
  for (const uint32_t index : asked) {
    const config::SignatureAuth& signature = config.authenticators[index].signature;
    if (signature.enabled && signature.body_digest) {
      return fmt::format("up to {}, held back until its digest is right",
                         config::format_size(signature.body_bytes_max));
    }
  }
  return "";
}

std::string openapi_text(const config::OpenApi& openapi) {
  return fmt::format("{} operations of {}; bodies up to {}{}", openapi.file.document->operations(),
                     openapi.file.path, config::format_size(openapi.body_bytes_max),
                     mode_text(openapi.mode));
}

std::string authorization_text(const config::Authorization& authorization) {
  std::vector<std::string> rules;
  for (const config::AllowRule& rule : authorization.allow) {
    rules.push_back(rule.id);
  }
  return fmt::format("if a rule allows it: {}; else 403{}", joined(rules),
                     mode_text(authorization.mode));
}

std::string forward_auth_text(const config::Config& config, const config::ForwardAuth& service) {
  const bool appends = !service.path_prefix.empty();
  return fmt::format(
      "{} asks {} for {}{} within {}; without an answer {}{}{}", service.name,
      config.upstreams[service.upstream].name, appends ? service.path_prefix : service.path,
      appends ? " and the path" : "", config::format_duration(service.timeout),
      service.on_error == config::OnAuthError::kAllow ? "it passes"
                                                      : std::to_string(service.status_on_error),
      service.cache.enabled
          ? fmt::format("; decisions hold for {}", config::format_duration(service.cache.ttl))
          : "",
      mode_text(service.mode));
}

}  // namespace

json::array actions_json(const config::Config& config, const config::Route& route) {
  json::array all;
  const auto add = [&all](std::string_view action, std::string text) {
    all.push_back(json::object{{"action", action}, {"does", std::move(text)}});
  };
  if (route.cors.enabled) {
    add("cors", cors_text(route.cors));
  }
  if (route.authentication.enabled()) {
    add("identity", authentication_text(config, route.authentication));
    if (std::string text = digest_text(config, route.authentication); !text.empty()) {
      add("body", std::move(text));
    }
  }
  if (route.forward_auth < config.forward_auths.size() &&
      config.forward_auths[route.forward_auth].mode != config::Mode::kOff) {
    add("forward_auth", forward_auth_text(config, config.forward_auths[route.forward_auth]));
  }
  if (route.authorization.enabled()) {
    add("allowed", authorization_text(route.authorization));
  }
  if (route.openapi.enabled && route.openapi.mode != config::Mode::kOff) {
    add("openapi", openapi_text(route.openapi));
  }
  if (route.fault.enabled && route.fault.mode != config::Mode::kOff) {
    add("fault", fault_text(route.fault));
  }
  for (const config::PluginUse& use : route.plugins) {
    if (use.mode != config::Mode::kOff) {
      add("plugin", config.plugins[use.plugin].name +
                        (use.mode == config::Mode::kShadow ? " (shadow: only counted)" : ""));
    }
  }
  if (route.mirror.enabled) {
    add("mirror", mirror_text(config, route.mirror));
  }
  if (route.compression.enabled) {
    add("compression", compression_text(route.compression));
  }
  return all;
}

}  // namespace hangu::admin
