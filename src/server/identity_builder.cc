#include "server/identity_builder.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "hangu/config/authenticators.h"
#include "hangu/filter/api_key_authenticator.h"
#include "hangu/filter/basic_authenticator.h"
#include "hangu/filter/body_digest_filter.h"
#include "hangu/filter/certificate_authenticator.h"
#include "hangu/filter/introspection_authenticator.h"
#include "hangu/filter/jwt_authenticator.h"
#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/oidc_logout_filter.h"
#include "hangu/filter/session_cookies_filter.h"

namespace hangu::server {
namespace {

/// Whose keys an authenticator verifies tokens with.
const config::JwtAuth& keys_config(const config::Authenticator& config) {
  return config.oidc.enabled ? config.oidc.id_token : config.jwt;
}

void add_claims(const std::vector<config::KeyPart>& key, std::vector<std::string>& names) {
  for (const config::KeyPart& part : key) {
    if (part.kind == config::KeyPart::Kind::kClaim) {
      names.push_back(part.name);
    }
  }
}

void add_claims(const config::IdentityMatch& who, std::vector<std::string>& names) {
  for (const config::ClaimMatch& match : who.claims) {
    names.push_back(match.claim);
  }
}

void add_claims(const config::Route& route, std::vector<std::string>& names) {
  for (const config::AllowRule& rule : route.authorization.allow) {
    add_claims(rule.who, names);
  }
  for (const config::Split::Part& part : route.split.upstreams) {
    add_claims(part.who, names);
    for (const config::SplitRule& rule : part.rules) {
      add_claims(rule.who, names);
    }
  }
  add_claims(route.split.key, names);
}

}  // namespace

/// Those that somebody beside an authenticator looks at, each once.
std::vector<std::string> IdentityBuilder::claims_wanted(const config::Config& config) {
  std::vector<std::string> names;
  if (config.authenticators.empty()) {
    return names;  // there may be many routes
  }
  const auto of_routes = [&config](size_t begin, size_t end) {
    std::vector<std::string> found;
    for (size_t at = begin; at < end; ++at) {
      add_claims(config.routes[at], found);
    }
    return found;
  };
  for (const std::vector<std::string>& page : route_claims_.update(config.routes, of_routes)) {
    names.insert(names.end(), page.begin(), page.end());
  }
  for (const config::RateLimit& limit : config.rate_limits) {
    add_claims(limit.key, names);
  }
  for (const config::Upstream& upstream : config.upstreams) {
    add_claims(upstream.balancing.key, names);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void IdentityBuilder::build(const config::Config& config, const Parts& parts) {
  if (consumers_ == nullptr || consumer_configs_ != config.consumers) {
    consumer_configs_ = config.consumers;
    consumers_ = std::make_shared<const filter::ConsumerTable>(config.consumers);
  }
  const std::vector<std::string> claims = claims_wanted(config);
  claims_changed_ = claims != std::exchange(claims_, claims);
  const auto before = std::exchange(keys_, {});
  keep_answers(config, claims, parts.cluster_number);
  authenticators_.clear();
  logouts_.clear();
  wants_digest_.clear();
  const bool other_secrets = secrets_built_with_ != session_secrets_;
  secrets_built_with_ = session_secrets_;
  sessions_rekeyed_ = false;
  for (const config::Authenticator& one : config.authenticators) {
    if (const auto kept = before.find(one.name);
        kept != before.end() && kept->second.config == keys_config(one)) {
      keys_.insert(*kept);
    }
    sessions_rekeyed_ =
        sessions_rekeyed_ || (other_secrets && one.oidc.enabled && one.oidc.secrets.empty());
    wants_digest_.push_back(one.signature.enabled && one.signature.body_digest);
    const uint32_t index = one.signature.replay_store;
    filter::ClaimStore* const store =
        index != config::kNoStore ? parts.store_of(config.stores[index].name) : nullptr;
    authenticators_.push_back(std::make_shared<const filter::NamedAuthenticator>(
        filter::NamedAuthenticator{.name = one.name,
                                   .authenticator = make(one, claims, store),
                                   .forward = one.forward,
                                   .claim_headers = config::claim_headers_of(one),
                                   .stats = registry_.authenticator(one.name)}));
    logouts_.push_back(make_logout(one));
  }
}

/// nullptr: the provider cannot end sessions.
std::shared_ptr<const filter::Filter> IdentityBuilder::make_logout(
    const config::Authenticator& config) {
  if (!config.oidc.enabled || config.oidc.backchannel_logout_path.empty()) {
    return nullptr;
  }
  return std::make_shared<const filter::OidcLogoutFilter>(
      config, filter::OidcLogoutFilter::Parts{.keys = keys_for(config),
                                              .logouts = logouts_for(config),
                                              .stats = registry_.authenticator(config.name)});
}

/// What issuers said of tokens, and what is known of sessions, unless it is asked otherwise now.
void IdentityBuilder::keep_answers(const config::Config& config,
                                   const std::vector<std::string>& claims,
                                   const ClusterNumber& cluster_number) {
  const auto answers_before = std::exchange(answers_, {});
  const auto sessions_before = std::exchange(sessions_, {});
  std::vector<std::string> cookies;
  const auto keep = [&](const auto& before, const std::string& name, const auto& asked, auto& now,
                        const auto& make) {
    const std::string& upstream = config.upstreams[asked.upstream].name;
    const auto kept = before.find(name);
    const bool same = kept != before.end() && kept->second.config == asked &&
                      kept->second.upstream == upstream && kept->second.claims == claims;
    now[name] = {.config = asked,
                 .upstream = upstream,
                 .claims = claims,
                 .memory = same ? kept->second.memory : make(),
                 .cluster = cluster_number(upstream)};
  };
  for (const config::Authenticator& one : config.authenticators) {
    if (one.introspection.enabled) {
      keep(answers_before, one.name, one.introspection, answers_, [&] {
        return std::make_shared<filter::IntrospectionMemory>(registry_.shards(),
                                                             one.introspection.cache_entries);
      });
    }
    if (one.oidc.enabled) {
      keep(sessions_before, one.name, one.oidc, sessions_, [&] {
        return std::make_shared<filter::OidcMemory>(registry_.shards(), one.oidc.cache_entries,
                                                    random_.next());
      });
      cookies.push_back(config::session_cookie_of(one));
    }
  }
  session_cookies_ = cookies.empty()
                         ? nullptr
                         : std::make_shared<filter::SessionCookiesFilter>(std::move(cookies));
}

std::shared_ptr<const filter::Authenticator> IdentityBuilder::make(
    const config::Authenticator& config, const std::vector<std::string>& claims,
    filter::ClaimStore* store) {
  if (config.api_key.enabled) {
    return std::make_shared<const filter::ApiKeyAuthenticator>(config.api_key, consumers_);
  }
  if (config.certificate.enabled) {
    return std::make_shared<const filter::CertificateAuthenticator>(consumers_);
  }
  if (config.basic.enabled) {
    // What is remembered depends on nothing of the config but the hash, which is part of the
    // digest.
    std::shared_ptr<filter::PasswordMemory>& memory = password_memories_[config.name];
    if (memory == nullptr) {
      memory = std::make_shared<filter::PasswordMemory>(registry_.shards());
    }
    return std::make_shared<const filter::BasicAuthenticator>(config.basic, passwords_, memory,
                                                              consumers_);
  }
  if (config.introspection.enabled) {
    const AnswerMemory& answers = answers_.at(config.name);
    return std::make_shared<const filter::IntrospectionAuthenticator>(
        config.introspection, filter::IntrospectionAuthenticator::Parts{.cluster = answers.cluster,
                                                                        .memory = answers.memory,
                                                                        .consumers = consumers_,
                                                                        .claims = claims,
                                                                        .secret = secret()});
  }
  if (config.oidc.enabled) {
    const SessionMemory& sessions = sessions_.at(config.name);
    return std::make_shared<const filter::OidcAuthenticator>(
        config, filter::OidcAuthenticator::Parts{.cluster = sessions.cluster,
                                                 .keys = keys_for(config),
                                                 .memory = sessions.memory,
                                                 .logouts = logouts_for(config),
                                                 .consumers = consumers_,
                                                 .claims = claims,
                                                 .secret = secret(),
                                                 .session_secrets = session_secrets_});
  }
  if (config.signature.enabled) {
    return std::make_shared<const filter::SignatureAuthenticator>(
        config, filter::SignatureAuthenticator::Parts{
                    .memory = replays_for(config), .store = store, .consumers = consumers_});
  }
  return std::make_shared<const filter::JwtAuthenticator>(config.jwt, keys_for(config), consumers_,
                                                          claims);
}

std::shared_ptr<filter::JwtKeys> IdentityBuilder::keys_for(const config::Authenticator& config) {
  KeyMemory& memory = keys_[config.name];
  if (memory.keys == nullptr) {
    memory.config = keys_config(config);
    const bool secret = !config.jwt.secret.text.empty();
    memory.keys = std::make_shared<filter::JwtKeys>(config.name, registry_.shards(), random_.next(),
                                                    secret ? nullptr : &fetcher_);
    if (secret) {
      memory.keys->begin_with(std::make_shared<const identity::JwkSet>(
          identity::JwkSet::of_secret(config.jwt.secret.text)));
    }
  }
  return memory.keys;
}

/// Whose sessions have been ended stays known after a reload, however many it is to be.
std::shared_ptr<filter::OidcLogouts> IdentityBuilder::logouts_for(
    const config::Authenticator& config) {
  if (config.oidc.backchannel_logout_path.empty()) {
    return nullptr;
  }
  const identity::Digest scope = filter::OidcLogouts::scope_of(config.name, config.oidc);
  Logouts& known = logout_memories_[config.name];
  if (known.memory == nullptr) {
    known.seed = random_.next();
  }
  if (known.memory == nullptr || known.entries != config.oidc.logouts_max ||
      known.memory->scope() != scope) {
    known.entries = config.oidc.logouts_max;
    known.memory = std::make_shared<filter::OidcLogouts>(filter::OidcLogouts::Options{
        // A logout may name a session and a subject.
        .entries_max = std::max<size_t>(2 * size_t{known.entries}, keeper_.known(scope)),
        .now_s = std::time(nullptr),
        .seed = known.seed,
        .scope = scope,
        .listener = &keeper_});
    keeper_.adopt(known.memory);
  }
  return known.memory;
}

/// What was signed before a reload stays known after it.
std::shared_ptr<filter::ReplayMemory> IdentityBuilder::replays_for(
    const config::Authenticator& config) {
  if (config.signature.replay == config::ReplayKey::kOff) {
    return nullptr;
  }
  Replays& known = replays_[config.name];
  if (known.memory == nullptr || known.entries != config.signature.replay_entries) {
    known.entries = config.signature.replay_entries;
    known.memory =
        std::make_shared<filter::ReplayMemory>(known.entries, std::time(nullptr), random_.next());
  }
  return known.memory;
}

void IdentityBuilder::add_filters(const config::Route& route,
                                  std::shared_ptr<const filter::Filter> service,
                                  filter::FilterChain& chain) const {
  filter::AuthFilter::List own;
  if (route.authentication.enabled()) {
    const bool all = !route.authentication.all.empty();
    for (const uint32_t index : all ? route.authentication.all : route.authentication.any) {
      own.push_back(authenticators_[index]);
      if (logouts_[index] != nullptr) {
        chain.add(logouts_[index]);  // before the route asks who it is
      }
    }
  }
  const uint32_t index = route.authentication.anonymous;
  const std::string_view anonymous =
      index != config::kNoConsumer ? std::string_view(consumer_configs_[index].name) : "";
  const bool apart = service != nullptr;
  if (!own.empty() || (route.authorization.enabled() && !apart)) {
    chain.add(std::make_shared<filter::AuthFilter>(
        std::move(own), route.authentication, apart ? config::Authorization{} : route.authorization,
        consumers_, anonymous));
  }
  if (session_cookies_ != nullptr) {
    chain.add(session_cookies_);
  }
  if (apart) {
    chain.add(std::move(service));
  }
  if (route.authorization.enabled() && apart) {
    chain.add(std::make_shared<filter::AuthFilter>(filter::AuthFilter::List{},
                                                   config::Authentication{}, route.authorization,
                                                   consumers_, std::string_view{}));
  }
}

void IdentityBuilder::add_body_filter(const config::Route& route,
                                      filter::FilterChain& chain) const {
  filter::AuthFilter::List wanting;
  if (route.authentication.enabled()) {
    const bool all = !route.authentication.all.empty();
    for (const uint32_t index : all ? route.authentication.all : route.authentication.any) {
      if (wants_digest_[index]) {
        wanting.push_back(authenticators_[index]);
      }
    }
  }
  if (!wanting.empty()) {
    chain.add(
        std::make_shared<filter::BodyDigestFilter>(std::move(wanting), route.authentication.mode));
  }
}

std::shared_ptr<filter::JwtKeys> IdentityBuilder::jwt_keys(const std::string& authenticator) const {
  const auto found = keys_.find(authenticator);
  return found != keys_.end() ? found->second.keys : nullptr;
}

}  // namespace hangu::server
