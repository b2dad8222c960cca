// What a route does to requests and responses beyond sending them on: part of Config, see config.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// An answer that sends the client elsewhere. What is empty or 0 stays as the client asked.
struct Redirect {
  bool enabled = false;
  std::string scheme;
  std::string host;
  uint32_t port = 0;
  std::string path;          // the whole path; may have captures: "/v2/{id}"
  std::string prefix;        // or what takes the place of the prefix that the route matches
  std::string regex;         // or what takes the place of what this matches in the path:
  std::string substitution;  // with `\1` for its first group; may have a query
  uint32_t status = 302;
  bool operator==(const Redirect&) const = default;
};

/// An answer without asking an upstream.
struct DirectResponse {
  bool enabled = false;
  uint32_t status = 200;
  std::string body;
  std::string file;      // in place of `body`; read with the config
  std::string contents;  // of it
  std::string content_type = "text/plain; charset=utf-8";
  Duration retry_after{};  // 0: none
  bool operator==(const DirectResponse&) const = default;
};

/// What the upstream sees instead of what the client asked for.
struct Rewrite {
  std::string path;          // the whole path; may have captures: "/v2/{id}"
  std::string prefix;        // or what takes the place of the prefix that the route matches
  std::string regex;         // as in Redirect
  std::string substitution;  // the same
  std::string host;          // may have variables
  bool operator==(const Rewrite&) const = default;
};

/// Which pages of other origins may read the answers (the CORS protocol of the Fetch standard).
struct Cors {
  bool enabled = false;
  std::vector<std::string> origins;   // "https://app.example.org", "https://*.example.org", "*"
  std::vector<std::string> patterns;  // regular expressions of whole origins
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> headers = {"authorization", "content-type"};  // or "*": any
  std::vector<std::string> expose;  // of the response, beside those any page may read
  bool credentials = false;
  Duration max_age = std::chrono::minutes(10);  // how long the answer to a preflight is good
  bool private_network = false;
  bool refuse_others = false;  // requests of other origins get 403, not just no leave to be read
  Mode mode = Mode::kEnforce;
  bool operator==(const Cors&) const = default;
};

enum class ContentCoding : uint8_t { kGzip, kBrotli, kZstd };

struct Compression {
  bool enabled = false;
  std::vector<ContentCoding> codings = {ContentCoding::kZstd, ContentCoding::kBrotli,
                                        ContentCoding::kGzip};  // the one liked best first
  uint32_t gzip_level = 5;
  uint32_t brotli_level = 4;
  uint32_t zstd_level = 3;
  uint64_t bytes_min = 1024;  // of a body whose length is known
  // "type/subtype", "type/*" or "*+suffix", lower case.
  std::vector<std::string> types = {"text/*",
                                    "*+json",
                                    "*+xml",
                                    "application/json",
                                    "application/x-ndjson",
                                    "application/javascript",
                                    "application/xml",
                                    "application/wasm",
                                    "application/yaml",
                                    "font/ttf",
                                    "font/otf"};
  bool with_credentials = false;  // also where secrets could be told from the length (BREACH)
  bool operator==(const Compression&) const = default;
};

/// Faults that are made on purpose, to see how clients take them.
struct Fault {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  Duration delay{};  // 0: none
  Percent delay_percent;
  uint32_t delayed_max = 1000;      // requests at once, per worker
  uint32_t abort_status = 0;        // 0: none
  uint32_t abort_grpc_status = 14;  // what gRPC calls get instead
  Percent abort_percent;
  bool operator==(const Fault&) const = default;
};

/// Copies of requests for another upstream, whose answers nobody gets.
struct Mirror {
  bool enabled = false;
  uint32_t upstream = kNoUpstream;  // index in Config::upstreams
  Percent percent;
  uint64_t body_bytes_max = 64 * 1024;  // requests with a larger body have no copy
  uint32_t requests_max = 100;          // copies under way at once, per worker and upstream
  std::string host;                     // that it sees; empty: as it was asked
  std::string host_suffix;              // added to the host as it was asked
  Duration timeout = std::chrono::seconds(10);
  bool operator==(const Mirror&) const = default;
};

}  // namespace hangu::config
