// What another version of hangu may send must never be more than empty.
#include "cli/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::cli {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(JsonFieldsTest, WhatIsNoObjectReadsAsEmpty) {
  for (const char* text : {"", "{", "[1]", "null", "{\"a\":1} x", "\xff"}) {
    EXPECT_TRUE(object_from(text).empty()) << text;
  }
}

TEST(JsonFieldsTest, FieldsOfTheRightType) {
  const auto object =
      object_from(R"({"t":"x","n":7,"m":-7,"f":true,"a":[1,{"b":2},null],"o":{"c":3}})");
  EXPECT_EQ(text_field(object, "t"), "x");
  EXPECT_EQ(number_field(object, "n"), 7U);
  EXPECT_EQ(number_field(object, "m"), 0U);
  EXPECT_EQ(signed_field(object, "m"), -7);
  EXPECT_TRUE(flag_field(object, "f"));
  EXPECT_THAT(array_field(object, "a"), SizeIs(3));
  EXPECT_THAT(objects_field(object, "a"), SizeIs(1));
  EXPECT_THAT(object_field(object, "o"), SizeIs(1));
}

TEST(JsonFieldsTest, FieldsOfAnotherTypeReadAsEmpty) {
  const auto object = object_from(R"({"n":null,"s":"7","d":1.5,"big":18446744073709551615})");
  for (const char* key : {"n", "s", "absent"}) {
    EXPECT_EQ(number_field(object, key), 0U) << key;
    EXPECT_FALSE(flag_field(object, key)) << key;
    EXPECT_THAT(array_field(object, key), IsEmpty()) << key;
    EXPECT_THAT(object_field(object, key), IsEmpty()) << key;
  }
  EXPECT_EQ(number_field(object, "d"), 0U);
  EXPECT_EQ(number_field(object, "big"), 0U);
  EXPECT_EQ(text_field(object, "n"), "");
  EXPECT_EQ(text_field(object, "d"), "1.5E0");
}

TEST(JsonFieldsTest, DiagnosticsSurviveTheirJson) {
  config::Diagnostic wrong;
  wrong.severity = config::Severity::kWarning;
  wrong.code = "W0201";
  wrong.file = "a.yaml";
  wrong.line = 3;
  wrong.column = 5;
  wrong.message = "it is \"odd\"";
  wrong.snippet = "x: 1";
  wrong.suggestion = "y";
  const auto list = boost::json::parse(config::diagnostics_to_json({wrong})).as_array();
  const auto again = diagnostics_from(list);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(config::diagnostics_to_json(again), config::diagnostics_to_json({wrong}));
  EXPECT_THAT(diagnostics_from(boost::json::parse("[1,null,\"x\"]").as_array()), IsEmpty());
}

}  // namespace
}  // namespace hangu::cli
