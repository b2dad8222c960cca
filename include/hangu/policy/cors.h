// CorsPolicy: what pages of other origins may ask and read, by the CORS protocol of the Fetch
// standard. Compiled from the config, immutable, any thread. Knows no request: texts in, decisions
// out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/pattern.h"
#include "hangu/config/actions.h"
#include "hangu/http/header_block.h"
#include "hangu/http/method.h"

namespace hangu::policy {

/// The method that a preflight asks about; empty: the request is none.
std::string_view preflight_method(http::Method method, const http::HeaderBlock& headers) noexcept;

/// Why a page may not: of the 403.
struct CorsRefusal {
  std::string_view code;
  std::string_view detail;
};

inline constexpr CorsRefusal kOtherOrigin{"cors.origin", "not for pages of this origin"};

class CorsPolicy {
 public:
  explicit CorsPolicy(const config::Cors& config);

  bool allows_origin(std::string_view origin) const noexcept;
  bool allows_method(std::string_view method) const noexcept;
  /// `names`: a list with commas; may be empty.
  bool allows_headers(std::string_view names) const noexcept;

  /// Of a preflight, by what it asks for; nullopt: the page may ask. `names`: as above.
  std::optional<CorsRefusal> refusal(std::string_view origin, std::string_view method,
                                     std::string_view names) const noexcept;

  /// The answer is the same for whatever origin: `*`.
  bool any_origin() const { return any_origin_ && !config_.credentials; }

  // Values of fields. Of a list that allows everything: what was asked for, since `*` does not
  // stand for everything in requests with credentials.
  std::string_view methods_for(std::string_view asked) const noexcept {
    return any_method_ ? asked : std::string_view(methods_);
  }

  std::string_view headers_for(std::string_view asked) const noexcept {
    return any_header_ ? asked : std::string_view(headers_);
  }

  std::string_view expose() const { return expose_; }

  /// Seconds; empty: the client decides.
  std::string_view max_age() const { return max_age_; }

  bool credentials() const { return config_.credentials; }

  bool private_network() const { return config_.private_network; }

  bool refuses_others() const { return config_.refuse_others; }

 private:
  /// "https://*.example.org:8443" without the star.
  struct Wildcard {
    std::string before;
    std::string after;
  };

  config::Cors config_;
  std::vector<std::string> exact_;
  std::vector<Wildcard> wildcards_;
  std::vector<Pattern> patterns_;
  bool any_origin_ = false;
  bool any_method_ = false;
  bool any_header_ = false;
  std::string methods_;
  std::string headers_;
  std::string expose_;
  std::string max_age_;
};

}  // namespace hangu::policy
