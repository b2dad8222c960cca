// DocumentCompiler: the paths, parameters and bodies of a description.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "hangu/openapi/document.h"

#include "openapi/operation.h"
#include "openapi/path_tree.h"
#include "openapi/schema_compiler.h"

namespace hangu::openapi {

/// Operations of one path.
struct PathItem {
  std::vector<uint32_t> operations;
  std::string allow;
};

struct DocumentParts {
  std::string base_path;
  PathTree paths;
  std::vector<PathItem> items;
  std::vector<Operation> operations;
  Schemas schemas;
};

class DocumentCompiler {
 public:
  DocumentCompiler(const boost::json::value& root, std::vector<Fault>& faults)
      : root_(root),
        schemas_(root, faults) {}

  DocumentParts compile();

 private:
  using Object = boost::json::object;

  const Object* object_at(std::string& pointer);
  void read_base_path();
  void read_path(std::string_view path, const std::string& at);
  void read_operation(std::string_view method, std::string_view path, const std::string& at,
                      const std::vector<Parameter>& inherited,
                      const std::vector<std::string>& captures);
  void read_parameters(const std::string& at, const std::vector<std::string>& captures,
                       std::vector<Parameter>& to);
  std::optional<Parameter> read_parameter(std::string at, const std::vector<std::string>& captures);
  bool read_style(const Object& object, const std::string& at, Parameter& to);
  void read_body(std::string at, Operation& to);
  void check_captures(const Operation& operation, const std::string& at,
                      const std::vector<std::string>& captures);

  const boost::json::value& root_;
  SchemaCompiler schemas_;
  DocumentParts parts_;
};

}  // namespace hangu::openapi
