// Document: an OpenAPI 3 description, compiled so that requests can be held against it: paths,
// parameters, bodies. What it asks for and this cannot check is an error when it is compiled, never
// left out in silence. Immutable, shared by all shards; the cost of one check is bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::openapi {

/// What is wrong with a description, and where (RFC 6901).
struct Fault {
  std::string pointer;
  std::string message;
};

enum class Place : uint8_t { kPath, kQuery, kHeader, kCookie, kBody };

/// As problems name it: "query".
std::string_view to_string(Place place) noexcept;

/// What is wrong with a request. The value itself is not in it: it may be a secret.
struct Problem {
  Place place = Place::kBody;
  std::string name;      // of a parameter
  std::string pointer;   // into the body, or into the value of the parameter
  std::string expected;  // "at least 1"
};

/// Collects problems up to a number.
class Problems {
 public:
  explicit Problems(size_t most)
      : most_(most) {}

  void add(Problem problem) {
    if (list_.size() < most_) {
      list_.push_back(std::move(problem));
    }
  }

  bool full() const { return list_.size() >= most_; }

  bool empty() const { return list_.empty(); }

  const std::vector<Problem>& list() const { return list_; }

 private:
  size_t most_;
  std::vector<Problem> list_;
};

/// Where parameters of a request are found, undecoded.
class ParameterSource {
 public:
  virtual std::string_view query() const = 0;
  /// The fields of that name as one value; nullopt: none.
  virtual std::optional<std::string> header(std::string_view name) const = 0;
  virtual std::optional<std::string_view> cookie(std::string_view name) const = 0;

 protected:
  ~ParameterSource() = default;
};

struct Operation;  // of a document

class Document {
 public:
  static constexpr size_t kCapturesMax = 16;
  static constexpr size_t kFaultsMax = 20;

  struct Found {
    const Operation* operation = nullptr;  // nullptr: no such path, or not by this method
    bool path_known = false;
    std::string_view allow;  // methods of the path, for the field Allow
    std::array<std::string_view, kCapturesMax> captures;
  };

  enum class BodyCheck : uint8_t {
    kUnchecked,  // of a type that is described, but not looked into
    kJson,
    kUnexpected,   // none is described
    kUnknownType,  // not of this type
  };

  static Result<std::shared_ptr<const Document>, std::vector<Fault>> compile(std::string_view json);

  ~Document();

  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// The path of `servers`, without a slash at its end.
  const std::string& base_path() const;

  size_t operations() const;

  /// `path`: in canonical form, without the base.
  Found find(std::string_view method, std::string_view path) const noexcept;

  /// "GET /users/{id}", or its operationId.
  static std::string_view name_of(const Operation& operation) noexcept;
  static bool needs_body(const Operation& operation) noexcept;
  static BodyCheck body_check(const Operation& operation, std::string_view content_type) noexcept;

  void check_parameters(const Found& found, const ParameterSource& source,
                        Problems& problems) const;
  /// For kJson.
  void check_body(const Operation& operation, std::string_view content_type, std::string_view text,
                  Problems& problems) const;

 private:
  struct Parts;

  explicit Document(std::unique_ptr<const Parts> parts);

  std::unique_ptr<const Parts> parts_;
};

}  // namespace hangu::openapi
