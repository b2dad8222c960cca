// SchemaCompiler: JSON Schema as OpenAPI 3.0 and 3.1 write it, into Schemas. A keyword that is
// neither checked nor a mere description is a fault.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "hangu/base/json_pointer.h"
#include "hangu/openapi/document.h"

#include "openapi/schema.h"

namespace hangu::openapi {

class SchemaCompiler {
 public:
  static constexpr size_t kSchemasMax = 100'000;
  static constexpr size_t kDepthMax = 1000;  // that refer to or contain one another

  /// `root`: the whole document, which references are looked up in.
  SchemaCompiler(const boost::json::value& root, std::vector<Fault>& faults)
      : root_(root),
        faults_(faults) {}

  /// Of the schema at `pointer`; each is compiled once, whoever refers to it.
  SchemaIndex compile(const std::string& pointer);

  /// What stands at a pointer; nullptr: nothing.
  const boost::json::value* look_up(std::string_view pointer) const;

  /// Follows `$ref`, if it is one, and writes where to; nullptr: a fault was added.
  const boost::json::value* resolve(std::string& pointer);

  void fault(const std::string& pointer, std::string message);

  Schemas take() { return std::move(schemas_); }

 private:
  using Object = boost::json::object;

  void fill(SchemaIndex index, const std::string& pointer, const boost::json::value& value);
  void read_keyword(Schema& to, const std::string& pointer, std::string_view keyword,
                    const boost::json::value& value);
  bool read_number_keyword(Schema& to, const std::string& at, std::string_view keyword,
                           const boost::json::value& value);
  bool read_size_keyword(Schema& to, const std::string& at, std::string_view keyword,
                         const boost::json::value& value);
  bool read_list_keyword(Schema& to, const std::string& at, std::string_view keyword,
                         const boost::json::value& value);
  bool read_object_keyword(Schema& to, const std::string& at, std::string_view keyword,
                           const boost::json::value& value);
  void read_type(Schema& to, const std::string& at, const boost::json::value& value);
  void read_items(Schema& to, const std::string& at, const boost::json::value& value);
  void read_properties(Schema& to, const std::string& at, const boost::json::value& value);
  void read_patterns(Schema& to, const std::string& at, const boost::json::value& value);
  void read_bound(Schema& to, const std::string& at, bool lower, const boost::json::value& value);
  std::shared_ptr<const re2::RE2> read_pattern(const std::string& at,
                                               const boost::json::value& value);
  std::vector<SchemaIndex> read_schemas(const std::string& at, const boost::json::value& value);
  std::vector<std::string> read_texts(const std::string& at, const boost::json::value& value);

  const boost::json::value& root_;
  std::vector<Fault>& faults_;
  Schemas schemas_;
  std::map<std::string, SchemaIndex> known_;
  size_t depth_ = 0;
};

}  // namespace hangu::openapi
