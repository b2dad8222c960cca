#include "hangu/control/key_fetcher.h"

#include <algorithm>
#include <fstream>
#include <iterator>
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
#include <boost/json.hpp>

#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/control/http_get.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::seconds;

constexpr Duration kFileInterval = seconds(2);
constexpr Duration kRetryFirst = seconds(1);
constexpr Duration kRetryMost = seconds(30);
constexpr Duration kRefreshLeast = std::chrono::minutes(1);
constexpr Duration kRefreshMost = std::chrono::hours(24);

using Text = Result<std::string, std::string>;
using Keys = std::shared_ptr<const identity::JwkSet>;

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

/// The address of the keys in an issuer's metadata (OpenID Connect Discovery §4), which has to be
/// that issuer's.
Text keys_address(const std::string& metadata, const std::string& issuer) {
  boost::system::error_code error;
  const json::value root = json::parse(metadata, error);
  const json::object* object = error ? nullptr : root.if_object();
  const auto text = [&](const char* name) -> std::string {
    const json::value* value = object != nullptr ? object->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  if (text("issuer") != issuer) {
    return Failure<std::string>{std::string("the metadata is of another issuer")};
  }
  const std::string address = text("jwks_uri");
  return address.empty() ? Text(Failure<std::string>{std::string("the metadata has no jwks_uri")})
                         : Text(address);
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
      if (!one.jwt.enabled || !one.jwt.secret.text.empty()) {
        continue;
      }
      const auto found = entries_.find(one.name);
      if (found != entries_.end() && found->second->config == one.jwt) {
        kept.emplace(one.name, found->second);
        if (found->second->keys != nullptr) {
          sink_(one.name, {.changed = true, .keys = found->second->keys});
        }
        continue;
      }
      auto entry = std::make_shared<Entry>(context_, one.name, one.jwt);
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
      const Text text = co_await self->fetch(*entry, told);
      if (entry->stopped || self->sink_ == nullptr) {
        co_return;
      }
      if (entry->wanted) {
        continue;  // by a token that may be younger than what was fetched
      }
      const bool good = self->take(*entry, text);
      retry = good ? kRetryFirst : std::min(retry * 2, kRetryMost);
      const bool file = !entry->config.jwks_file.empty();
      entry->timer.expires_after(file   ? kFileInterval
                                 : good ? told.value_or(entry->config.refresh)
                                        : retry);
      boost::system::error_code error;
      co_await entry->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  asio::awaitable<Text> fetch(Entry& entry, std::optional<Duration>& told) {
    const config::JwtAuth& config = entry.config;
    if (!config.jwks_file.empty()) {
      co_return read_file(config.jwks_file);
    }
    std::string address = config.jwks_uri;
    if (config.discovery) {
      const std::string slash = config.issuer.ends_with('/') ? "" : "/";
      const Text metadata =
          co_await get(config.issuer + slash + ".well-known/openid-configuration", config, told);
      if (!metadata) {
        co_return metadata;
      }
      const Text found = keys_address(*metadata, config.issuer);
      if (!found) {
        co_return found;
      }
      address = *found;
    }
    co_return co_await get(address, config, told);
  }

  static asio::awaitable<Text> get(std::string address, const config::JwtAuth& config,
                                   std::optional<Duration>& told) {
    const std::optional<HttpUrl> url = parse_http_url(address);
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
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      return Failure<std::string>{"cannot open " + path};
    }
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return text;
  }

  /// Whether the keys are good; tells the sink in any case.
  bool take(Entry& entry, const Text& text) {
    entry.asked = true;
    std::string error = text ? "" : text.error();
    if (text) {
      auto parsed = identity::JwkSet::parse(*text);
      if (parsed) {
        publish(entry, *text, std::move(*parsed));
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

  void publish(Entry& entry, const std::string& text, identity::JwkSet keys) {
    const bool same = entry.keys != nullptr && entry.text == text;
    if (!entry.error.empty() || entry.keys == nullptr) {
      log::info("event=keys_fetched authenticator={} keys={}", entry.name, keys.keys().size());
    }
    entry.fetched = now();
    if (!same) {
      entry.text = text;
      entry.keys = std::make_shared<const identity::JwkSet>(std::move(keys));
    }
    ++entry.fetches;
    sink_(entry.name, {.fetch = KeyNews::Fetch::kGood, .changed = !same, .keys = entry.keys});
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
    sink_(entry.name, {.fetch = KeyNews::Fetch::kFailed, .changed = stale, .keys = entry.keys});
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
