#include "hangu/admin/openapi.h"

#include <set>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/admin/routes.h"

#include "tests/unit/config/golden.h"

namespace hangu::admin {
namespace {

namespace json = boost::json;

json::object description() {
  return json::parse(openapi_text()).as_object();
}

TEST(OpenApiTest, TheFileThatIsShippedIsThisOne) {
  test::expect_golden(test::source_root() / "docs/admin-api.json", openapi_text());
}

TEST(OpenApiTest, EveryRouteIsInIt) {
  const json::object all = description();
  size_t operations = 0;
  for (const auto& [path, methods] : all.at("paths").as_object()) {
    operations += methods.as_object().size();
  }
  EXPECT_EQ(operations, routes().size());
  std::set<std::string> ids;
  for (const auto& [path, methods] : all.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      const json::string& id = operation.at("operationId").as_string();
      EXPECT_TRUE(ids.insert(std::string(id.data(), id.size())).second) << id;
      EXPECT_FALSE(operation.at("summary").as_string().empty()) << path;
      EXPECT_GE(operation.at("responses").as_object().size(), 2U) << path;
    }
  }
}

/// Adds what `value` refers to.
void find_references(const json::value& value, std::set<std::string>& out) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& each : *array) {
      find_references(each, out);
    }
  } else if (const json::object* object = value.if_object()) {
    for (const auto& [name, each] : *object) {
      if (name == "$ref") {
        out.insert(json::value_to<std::string>(each));
      }
      find_references(each, out);
    }
  }
}

TEST(OpenApiTest, WhatIsReferredToIsThereAndUsed) {
  const json::object all = description();
  std::set<std::string> wanted;
  find_references(all, wanted);
  std::set<std::string> there;
  for (const auto& [name, schema] : all.at("components").at("schemas").as_object()) {
    there.insert("#/components/schemas/" + std::string(name));
  }
  EXPECT_EQ(wanted, there);
}

}  // namespace
}  // namespace hangu::admin
