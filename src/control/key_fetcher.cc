#include "hangu/control/key_fetcher.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/config/authenticators.h"
#include "hangu/control/http_get.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;

constexpr Duration kFileInterval = seconds(2);
constexpr Duration kRetryFirst = seconds(1);
constexpr Duration kRetryMost = seconds(30);
constexpr Duration kRefreshLeast = std::chrono::minutes(1);
constexpr Duration kRefreshMost = std::chrono::hours(24);

using Text = Result<std::string, std::string>;
using Keys = std::shared_ptr<const identity::JwkSet>;
using Provider = std::shared_ptr<const identity::ProviderMetadata>;

/// What was fetched.
struct Fetched {
  std::string keys;
  Provider provider;
};

using Answer = Result<Fetched, std::string>;

TimePoint now() {
  return TimePoint(std::chrono::steady_clock::now());
}

/// `max-age` of a Cache-Control field, held within reason.
std::optional<Duration> max_age(std::string_view cache_control) {
  constexpr std::string_view kName = "max-age=";
  const size_t at = cache_control.find(kName);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view digits = cache_control.substr(at + kName.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  const auto value = parse_decimal(digits, 365ULL * 24 * 3600);
  return value ? std::optional(std::clamp<Duration>(seconds(*value), kRefreshLeast, kRefreshMost))
               : std::nullopt;
}

/// What an authenticator needs of an issuer; nullopt: nothing.
std::optional<config::JwtAuth> wanted_of(const config::Authenticator& authenticator) {
  const config::JwtAuth* const keys = config::fetched_keys_of(authenticator);
  if (keys == nullptr) {
    return std::nullopt;
  }
  config::JwtAuth wanted = *keys;
  wanted.discovery =
      wanted.discovery || (authenticator.oidc.enabled && config::discovers(authenticator.oidc));
  return wanted;
}

/// One issuer.
struct Entry {
  Entry(asio::io_context& context, std::string entry_name, config::JwtAuth entry_config)
      : name(std::move(entry_name)),
        config(std::move(entry_config)),
        timer(context) {}

  std::string name;
  config::JwtAuth config;
  asio::steady_timer timer;  // until the next fetch
  Keys keys;
  Provider provider;  // nullptr: its metadata are of no use
  TimePoint fetched{};
  std::string error;
  std::string text;  // that `keys` were read from
  uint64_t fetches = 0;
  uint64_t failures = 0;
  bool wanted = false;
  bool asked = false;  // once at least
  bool stopped = false;
};

}  // namespace

class KeyFetcher::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Sink sink)
      : context_(context),
        sink_(std::move(sink)) {}

  void apply(const config::Config& config) {
    std::map<std::string, std::shared_ptr<Entry>> kept;
    for (const config::Authenticator& one : config.authenticators) {
      std::optional<config::JwtAuth> wanted = wanted_of(one);
      if (!wanted) {
        continue;
      }
      const auto found = entries_.find(one.name);
      if (found != entries_.end() && found->second->config == *wanted) {
        kept.emplace(one.name, found->second);
        if (found->second->keys != nullptr) {
          sink_(one.name, {.changed = true, .issuer = issuer_of(*found->second)});
        }
        continue;
      }
      auto entry = std::make_shared<Entry>(context_, one.name, std::move(*wanted));
      kept.emplace(one.name, entry);
      asio::co_spawn(context_, run(shared_from_this(), entry), asio::detached);
    }
    entries_.swap(kept);
    for (const auto& [name, entry] : kept) {
      if (entries_.find(name) == entries_.end() || entries_.at(name) != entry) {
        stop(*entry);
      }
    }
  }

  void stop_all() {
    for (const auto& [name, entry] : entries_) {
      stop(*entry);
    }
    sink_ = nullptr;
    ready_ = nullptr;
  }

  void prepare(Duration at_most, std::function<void()> done) {
    ready_ = std::move(done);
    ready_timer_.expires_after(at_most);
    ready_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) {
        self->tell_ready();
      }
    });
    check_ready();
  }

  void want(const std::string& name) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      sink_(name, {});
      return;
    }
    found->second->wanted = true;
    found->second->timer.cancel();
  }

  std::vector<KeyStatus> status() const {
    std::vector<KeyStatus> list;
    for (const auto& [name, entry] : entries_) {
      const bool any = entry->keys != nullptr;
      list.push_back({.authenticator = name,
                      .keys = any ? entry->keys->keys().size() : 0,
                      .age = any ? now() - entry->fetched : Duration{},
                      .error = entry->error,
                      .fetches = entry->fetches,
                      .failures = entry->failures});
    }
    return list;
  }

 private:
  static void stop(Entry& entry) {
    entry.stopped = true;
    entry.timer.cancel();
  }

  void tell_ready() {
    ready_timer_.cancel();
    if (auto done = std::exchange(ready_, nullptr)) {
      done();
    }
  }

  void check_ready() {
    const bool all = std::all_of(entries_.begin(), entries_.end(),
                                 [](const auto& one) { return one.second->asked; });
    if (all) {
      tell_ready();
    }
  }

  /// Until the entry is stopped.
  static asio::awaitable<void> run(std::shared_ptr<Impl> self, std::shared_ptr<Entry> entry) {
    Duration retry = kRetryFirst;
    while (!entry->stopped) {
      entry->wanted = false;
      std::optional<Duration> told;
      const auto fetched = co_await self->fetch(*entry, told);
      if (entry->stopped || self->sink_ == nullptr) {
        co_return;
      }
      if (entry->wanted) {
        continue;  // by a token that may be younger than what was fetched
      }
      const bool good = self->take(*entry, fetched);
      retry = good ? kRetryFirst : std::min(retry * 2, kRetryMost);
      const bool file = !entry->config.jwks_file.empty();
      entry->timer.expires_after(file   ? kFileInterval
                                 : good ? told.value_or(entry->config.refresh)
                                        : retry);
      boost::system::error_code error;
      co_await entry->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  asio::awaitable<Answer> fetch(Entry& entry, std::optional<Duration>& told) {
    const config::JwtAuth& config = entry.config;
    if (!config.jwks_file.empty()) {
      co_return with(read_file(config.jwks_file), nullptr);
    }
    std::string address = config.jwks_uri;
    Provider provider;
    if (config.discovery) {
      const std::string slash = config.issuer.ends_with('/') ? "" : "/";
      const Text metadata =
          co_await get(config.issuer + slash + ".well-known/openid-configuration", config, told);
      if (!metadata) {
        co_return with(metadata, nullptr);
      }
      auto parsed = identity::parse_provider_metadata(*metadata, config.issuer);
      if (!parsed) {
        co_return Failure<std::string>{parsed.error()};
      }
      provider = std::make_shared<const identity::ProviderMetadata>(std::move(*parsed));
      address = address.empty() ? provider->jwks_uri : address;
    }
    if (address.empty()) {
      co_return Failure<std::string>{std::string("the metadata has no jwks_uri")};
    }
    co_return with(co_await get(address, config, told), std::move(provider));
  }

  static Answer with(const Text& keys, Provider provider) {
    return keys ? Answer(Fetched{.keys = *keys, .provider = std::move(provider)})
                : Answer(Failure<std::string>{keys.error()});
  }

  static asio::awaitable<Text> get(std::string address, const config::JwtAuth& config,
                                   std::optional<Duration>& told) {
    const std::optional<http::HttpUrl> url = http::parse_http_url(address);
    if (!url) {
      co_return Failure<std::string>{address + " is no address of HTTP"};
    }
    const auto answer = co_await http_get(*url, config.fetch_timeout, identity::JwkSet::kBytesMax);
    if (!answer) {
      co_return Failure<std::string>{answer.error()};
    }
    if (answer->status != 200) {
      co_return Failure<std::string>{fmt::format("{} answered {}", address, answer->status)};
    }
    told = max_age(answer->cache_control);
    co_return answer->body;
  }

  static Text read_file(const std::string& path) {
    Result<std::string, std::error_code> text = read_whole_file(path);
    if (!text) {
      return Failure<std::string>{fmt::format("cannot read {}: {}", path, text.error().message())};
    }
    return std::move(*text);
  }

  static identity::Issuer issuer_of(const Entry& entry) {
    return {.keys = entry.keys, .provider = entry.provider};
  }

  /// Whether the keys are good; tells the sink in any case.
  bool take(Entry& entry, const Answer& fetched) {
    entry.asked = true;
    std::string error = fetched ? "" : fetched.error();
    if (fetched) {
      auto parsed = identity::JwkSet::parse(fetched->keys);
      if (parsed) {
        publish(entry, *fetched, std::move(*parsed));
      } else {
        error = parsed.error();
      }
    }
    if (!error.empty()) {
      note_failure(entry, error);
    }
    entry.error = error;
    check_ready();
    return error.empty();
  }

  void publish(Entry& entry, const Fetched& fetched, identity::JwkSet keys) {
    const bool same_provider = entry.provider == fetched.provider ||
                               (entry.provider != nullptr && fetched.provider != nullptr &&
                                *entry.provider == *fetched.provider);
    const bool same = entry.keys != nullptr && entry.text == fetched.keys && same_provider;
    if (!entry.error.empty() || entry.keys == nullptr) {
      log::info("event=keys_fetched authenticator={} keys={}", entry.name, keys.keys().size());
    }
    entry.fetched = now();
    if (!same) {
      entry.text = fetched.keys;
      entry.provider = fetched.provider;
      entry.keys = std::make_shared<const identity::JwkSet>(std::move(keys));
    }
    ++entry.fetches;
    sink_(entry.name,
          {.fetch = KeyNews::Fetch::kGood, .changed = !same, .issuer = issuer_of(entry)});
  }

  void note_failure(Entry& entry, const std::string& error) {
    if (entry.error != error) {
      log::warning("event=keys_not_fetched authenticator={} error=\"{}\"", entry.name, error);
    }
    const bool stale = entry.keys != nullptr && now() - entry.fetched > entry.config.stale;
    if (stale) {
      log::error("event=keys_too_old authenticator={}", entry.name);
      entry.keys = nullptr;
      entry.text.clear();
    }
    ++entry.fetches;
    ++entry.failures;
    sink_(entry.name,
          {.fetch = KeyNews::Fetch::kFailed, .changed = stale, .issuer = issuer_of(entry)});
  }

  asio::io_context& context_;
  Sink sink_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::function<void()> ready_;
  asio::steady_timer ready_timer_{context_};
};

KeyFetcher::KeyFetcher(asio::io_context& context, Sink sink)
    : impl_(std::make_shared<Impl>(context, std::move(sink))) {}

KeyFetcher::~KeyFetcher() {
  impl_->stop_all();
}

void KeyFetcher::apply(const config::Config& config) {
  impl_->apply(config);
}

void KeyFetcher::prepare(Duration at_most, std::function<void()> done) {
  impl_->prepare(at_most, std::move(done));
}

void KeyFetcher::want(const std::string& authenticator) {
  impl_->want(authenticator);
}

std::vector<KeyStatus> KeyFetcher::status() const {
  return impl_->status();
}

}  // namespace hangu::control
