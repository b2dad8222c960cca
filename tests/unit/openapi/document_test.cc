// Requests against descriptions: paths, parameters, bodies; and what descriptions may not ask for.
#include "hangu/openapi/document.h"

#include <map>

#include <gtest/gtest.h>

namespace hangu::openapi {
namespace {

/// A description with these paths and schemas.
std::string described(const std::string& paths, const std::string& schemas = "{}",
                      const std::string& more = "") {
  return fmt::format(R"({{"openapi":"3.0.3","info":{{"title":"t","version":"1"}},{}"paths":{},)"
                     R"("components":{{"schemas":{}}}}})",
                     more, paths, schemas);
}

std::shared_ptr<const Document> compiled(const std::string& text) {
  auto document = Document::compile(text);
  if (!document) {
    for (const Fault& fault : document.error()) {
      ADD_FAILURE() << fault.pointer << ": " << fault.message;
    }
    return nullptr;
  }
  return *document;
}

std::string faults_of(const std::string& text) {
  const auto document = Document::compile(text);
  std::string all;
  if (!document) {
    for (const Fault& fault : document.error()) {
      all += fault.pointer + ": " + fault.message + "\n";
    }
  }
  return all;
}

std::string told(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.list()) {
    text += text.empty() ? "" : "; ";
    text += problem.place == Place::kBody ? problem.pointer : problem.name + problem.pointer;
    text += ": " + problem.expected;
  }
  return text;
}

/// What is wrong with a body by a schema; "": nothing.
std::string checked(const std::string& schema, std::string_view body,
                    const std::string& schemas = "{}", size_t most = 10) {
  const auto document = compiled(
      described(fmt::format(R"({{"/":{{"post":{{"requestBody":{{"content":{{"application/json":)"
                            R"({{"schema":{}}}}}}}}}}}}})",
                            schema),
                schemas));
  if (document == nullptr) {
    return "no document";
  }
  const Document::Found found = document->find("POST", "/");
  Problems problems(most);
  document->check_body(*found.operation, "application/json; charset=utf-8", body, problems);
  return told(problems);
}

struct Source final : ParameterSource {
  std::string query_text;
  std::map<std::string, std::string, std::less<>> headers;
  std::map<std::string, std::string, std::less<>> cookies;

  std::string_view query() const override { return query_text; }

  std::optional<std::string> header(std::string_view name) const override {
    const auto found = headers.find(name);
    return found != headers.end() ? std::optional(found->second) : std::nullopt;
  }

  std::optional<std::string_view> cookie(std::string_view name) const override {
    const auto found = cookies.find(name);
    return found != cookies.end() ? std::optional<std::string_view>(found->second) : std::nullopt;
  }
};

/// What is wrong with the query by one parameter of it.
std::string queried(const std::string& parameter, const std::string& query) {
  const auto document = compiled(described(fmt::format(
      R"({{"/":{{"get":{{"parameters":[{{"name":"a","in":"query",{}}}]}}}}}})", parameter)));
  if (document == nullptr) {
    return "no document";
  }
  const Document::Found found = document->find("GET", "/");
  Source source;
  source.query_text = query;
  Problems problems(10);
  document->check_parameters(found, source, problems);
  return told(problems);
}

TEST(OpenApiPathTest, IsTheMostSpecialOneThatFits) {
  const std::string id = R"([{"name":"id","in":"path","required":true,"schema":{}}])";
  const auto document = compiled(described(fmt::format(
      R"({{"/users":{{"get":{{"operationId":"list"}},"post":{{}}}},)"
      R"("/users/me":{{"get":{{"operationId":"me"}}}},)"
      R"("/users/{{id}}":{{"parameters":{0},"get":{{"operationId":"one"}}}},)"
      R"("/users/{{id}}/files/{{name}}.json":{{"get":{{"operationId":"file","parameters":[)"
      R"({{"name":"id","in":"path","required":true,"schema":{{}}}},)"
      R"({{"name":"name","in":"path","required":true,"schema":{{}}}}]}}}}}})",
      id)));
  ASSERT_NE(document, nullptr);
  EXPECT_EQ(document->operations(), 5U);
  const auto name = [&](std::string_view method, std::string_view path) {
    const Document::Found found = document->find(method, path);
    return found.operation != nullptr ? std::string(Document::name_of(*found.operation))
           : found.path_known         ? "405 " + std::string(found.allow)
                                      : "404";
  };
  EXPECT_EQ(name("GET", "/users"), "list");
  EXPECT_EQ(name("POST", "/users"), "POST /users");
  EXPECT_EQ(name("DELETE", "/users"), "405 GET, POST");
  EXPECT_EQ(name("GET", "/users/me"), "me");
  EXPECT_EQ(name("GET", "/users/17"), "one");
  EXPECT_EQ(name("GET", "/users/"), "404");
  EXPECT_EQ(name("GET", "/users/me/files/a.json"), "file");
  EXPECT_EQ(name("GET", "/users/me/files/a.txt"), "404");
  EXPECT_EQ(name("GET", "/users/me/files/.json"), "404");
  EXPECT_EQ(name("GET", "/"), "404");
  const Document::Found found = document->find("GET", "/users/x/files/report.json");
  EXPECT_EQ(found.captures[0], "x");
  EXPECT_EQ(found.captures[1], "report");
}

TEST(OpenApiPathTest, TheServersPathIsTheBase) {
  const auto base = [](const std::string& url) {
    const auto document =
        compiled(described("{}", "{}", fmt::format(R"("servers":[{{"url":"{}"}}],)", url)));
    return document != nullptr ? document->base_path() : "none";
  };
  EXPECT_EQ(base("https://api.example.org/v1/"), "/v1");
  EXPECT_EQ(base("https://api.example.org"), "");
  EXPECT_EQ(base("/a/b"), "/a/b");
  EXPECT_EQ(base("/"), "");
}

TEST(OpenApiParameterTest, IsWhatItsSchemaSays) {
  const std::string integer = R"("schema":{"type":"integer","minimum":1})";
  EXPECT_EQ(queried(integer, "a=1"), "");
  EXPECT_EQ(queried(integer, "b=x"), "");
  EXPECT_EQ(queried(integer, "a=0"), "a: at least 1");
  EXPECT_EQ(queried(integer, "a=x"), "a: a whole number");
  EXPECT_EQ(queried(integer, "a=1.5"), "a: a whole number");
  EXPECT_EQ(queried(integer, "a="), "a: a whole number");
  EXPECT_EQ(queried(integer, "a=0x10"), "a: a whole number");
  EXPECT_EQ(queried(integer, "a=1%20"), "a: a whole number");
  EXPECT_EQ(queried(integer, "a=1&a=2"), "a: to be there once");
  EXPECT_EQ(queried(integer, "%61=0"), "a: at least 1");
  EXPECT_EQ(queried(integer, "a=%4"), "a: %-escapes that are right");
  EXPECT_EQ(queried(R"("required":true,"schema":{})", ""), "a: to be there");
  EXPECT_EQ(queried(R"("schema":{"type":"boolean"})", "a=true"), "");
  EXPECT_EQ(queried(R"("schema":{"type":"boolean"})", "a=yes"), "a: true or false");
  EXPECT_EQ(queried(R"("schema":{"type":"string","maxLength":3})", "a=123"), "");
  EXPECT_EQ(queried(R"("schema":{"type":"string","enum":["a b"]})", "a=a+b"), "");
  EXPECT_EQ(queried(R"("allowEmptyValue":true,"schema":{"type":"integer"})", "a"), "");
}

TEST(OpenApiParameterTest, MayBeAList) {
  const std::string list = R"("schema":{"type":"array","maxItems":3,"items":{"type":"integer"}})";
  EXPECT_EQ(queried(list, "a=1&a=2"), "");
  EXPECT_EQ(queried(list, "a=1&a=x"), "a/1: a whole number");
  EXPECT_EQ(queried(list, "a=1&a=2&a=3&a=4"), "a: at most 3 items");
  EXPECT_EQ(queried(list + R"(,"explode":false)", "a=1,2,3"), "");
  EXPECT_EQ(queried(list + R"(,"explode":false)", "a=1,b"), "a/1: a whole number");
}

TEST(OpenApiParameterTest, IsFoundInItsPlace) {
  const auto document = compiled(
      R"({"openapi":"3.1.0","components":{"parameters":{"tenant":{"name":"X-Tenant","in":"header",
        "required":true,"schema":{"const":"t"}}}},"paths":{"/u/{id}":{"parameters":[
        {"name":"id","in":"path","required":true,"schema":{"type":"string","format":"uuid"}},
        {"$ref":"#/components/parameters/tenant"}],
        "get":{"parameters":[
          {"name":"X-Ids","in":"header","schema":{"type":"array","items":{"type":"integer"}}},
          {"name":"s","in":"cookie","required":true,"schema":{"type":"string","minLength":2}},
          {"name":"Authorization","in":"header","required":true,"schema":{}}]}}}})");
  ASSERT_NE(document, nullptr);
  const auto ask = [&](std::string_view path, const Source& source) {
    Problems problems(10);
    document->check_parameters(document->find("GET", path), source, problems);
    return told(problems);
  };
  Source source;
  source.headers = {{"x-tenant", "t"}, {"x-ids", "1, 2"}};
  source.cookies = {{"s", "ab"}};
  EXPECT_EQ(ask("/u/123e4567-e89b-12d3-a456-426614174000", source), "");
  source.headers = {{"x-tenant", "u"}, {"x-ids", "1, b"}};
  source.cookies = {{"s", "a"}};
  EXPECT_EQ(ask("/u/7", source),
            "x-ids/1: a whole number; s: at least 2 characters; id: a UUID; "
            "x-tenant: one of \"t\"");
  EXPECT_EQ(ask("/u/123e4567%2De89b-12d3-a456-426614174000", Source{}),
            "s: to be there; x-tenant: to be there");
}

TEST(OpenApiBodyTest, HasTheRightTypes) {
  EXPECT_EQ(checked(R"({"type":"object"})", "{}"), "");
  EXPECT_EQ(checked(R"({"type":"object"})", "[]"), ": an object");
  EXPECT_EQ(checked(R"({"type":"integer"})", "1.0"), "");
  EXPECT_EQ(checked(R"({"type":"integer"})", "1.5"), ": a whole number");
  EXPECT_EQ(checked(R"({"type":"integer"})", "18446744073709551615"), "");
  EXPECT_EQ(checked(R"({"type":"string","nullable":true})", "null"), "");
  EXPECT_EQ(checked(R"({"type":"string","nullable":true,"enum":["a"]})", "null"), "");
  EXPECT_EQ(checked(R"({"type":"string"})", "null"), ": a text");
  EXPECT_EQ(checked(R"({"type":["string","null"]})", "null"), "");
  EXPECT_EQ(checked(R"({"type":["string","null"]})", "1"), ": a text or null");
  EXPECT_EQ(checked("false", "1"), ": nothing: it is not allowed");
  EXPECT_EQ(checked("true", "1"), "");
}

TEST(OpenApiBodyTest, KeepsToLimits) {
  EXPECT_EQ(checked(R"({"minimum":1,"maximum":3})", "3"), "");
  EXPECT_EQ(checked(R"({"minimum":1})", "0.5"), ": at least 1");
  EXPECT_EQ(checked(R"({"maximum":3,"exclusiveMaximum":true})", "3"), ": less than 3");
  EXPECT_EQ(checked(R"({"exclusiveMinimum":3})", "3"), ": more than 3");
  EXPECT_EQ(checked(R"({"multipleOf":0.01})", "19.99"), "");
  EXPECT_EQ(checked(R"({"multipleOf":0.01})", "19.995"), ": a multiple of 0.01");
  EXPECT_EQ(checked(R"({"type":"integer","format":"int32"})", "2147483647"), "");
  EXPECT_EQ(checked(R"({"type":"integer","format":"int32"})", "2147483648"),
            ": a whole number of 32 bits");
  EXPECT_EQ(checked(R"({"maxLength":2})", "\"äö\""), "");
  EXPECT_EQ(checked(R"({"maxLength":2})", "\"abc\""), ": at most 2 characters");
  EXPECT_EQ(checked(R"({"pattern":"^a+$"})", "\"aab\""), ": a text that matches ^a+$");
  EXPECT_EQ(checked(R"({"pattern":"b"})", "\"aab\""), "");
  EXPECT_EQ(checked(R"({"uniqueItems":true})", R"([1, {"a":1,"b":2}, {"b":2,"a":1.0}])"),
            ": items that differ");
  EXPECT_EQ(checked(R"({"uniqueItems":true})", R"([1, "1", true, [1], {}])"), "");
  EXPECT_EQ(checked(R"({"minItems":1,"items":{"type":"string"}})", "[]"), ": at least 1 items");
  EXPECT_EQ(checked(R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a",1])"),
            "/1: nothing: it is not allowed");
}

TEST(OpenApiBodyTest, ChecksFormats) {
  const auto format = [](const std::string& name, const std::string& value) {
    return checked(fmt::format(R"({{"type":"string","format":"{}"}})", name), "\"" + value + "\"")
        .empty();
  };
  EXPECT_TRUE(format("date", "2024-02-29"));
  EXPECT_FALSE(format("date", "2023-02-29"));
  EXPECT_FALSE(format("date", "2023-2-9"));
  EXPECT_TRUE(format("date-time", "2023-02-28T23:59:60.123+08:00"));
  EXPECT_TRUE(format("date-time", "2023-02-28T23:59:59Z"));
  EXPECT_FALSE(format("date-time", "2023-02-28T24:00:00Z"));
  EXPECT_FALSE(format("date-time", "2023-02-28T23:59:59"));
  EXPECT_TRUE(format("uuid", "123E4567-e89b-12d3-a456-426614174000"));
  EXPECT_FALSE(format("uuid", "123e4567e89b12d3a456426614174000"));
  EXPECT_TRUE(format("ipv4", "192.0.2.1"));
  EXPECT_FALSE(format("ipv4", "192.0.2.256"));
  EXPECT_TRUE(format("ipv6", "2001:db8::1"));
  EXPECT_FALSE(format("ipv6", "2001:db8"));
  EXPECT_TRUE(format("password", "anything"));
}

constexpr std::string_view kUser = R"({"user":{"type":"object","required":["name","id"],
  "additionalProperties":false,"properties":{"name":{"type":"string"},
  "id":{"type":"integer","readOnly":true},"friends":{"type":"array",
  "items":{"$ref":"#/components/schemas/user"}},"a/b":{"type":"string"}}}})";

TEST(OpenApiBodyTest, SaysWhereItIsWrong) {
  const auto user = [](std::string_view body, size_t most = 10) {
    return checked(R"({"$ref":"#/components/schemas/user"})", body, std::string(kUser), most);
  };
  EXPECT_EQ(user(R"({"name":"a","friends":[{"name":"b"}]})"), "");
  EXPECT_EQ(user(R"({"friends":[{"name":"b"},{"name":1}]})"),
            ": a member `name`; /friends/1/name: a text");
  EXPECT_EQ(user(R"({"name":"a","other":1})"), "/other: nothing: it is not allowed");
  EXPECT_EQ(user(R"({"name":"a","a/b":1})"), "/a~1b: a text");
  EXPECT_EQ(user(R"({"friends":[1,2,3,4]})", 2), ": a member `name`; /friends/0: an object");
}

TEST(OpenApiBodyTest, CombinesSchemas) {
  const std::string any = R"({"anyOf":[{"type":"string"},{"type":"integer"}]})";
  EXPECT_EQ(checked(any, "1"), "");
  EXPECT_EQ(checked(any, "true"), ": what one of several schemas asks for");
  const std::string one = R"({"oneOf":[{"type":"integer"},{"minimum":2}]})";
  EXPECT_EQ(checked(one, "1"), "");
  EXPECT_EQ(checked(one, "3"), ": what only one of several schemas asks for");
  EXPECT_EQ(checked(R"({"allOf":[{"minimum":2},{"maximum":1}]})", "3"), ": at most 1");
  EXPECT_EQ(checked(R"({"not":{"type":"string"}})", "\"a\""), ": anything but what it is");
  EXPECT_EQ(checked(R"({"patternProperties":{"^x-":{"type":"string"}},
                        "additionalProperties":{"type":"integer"}})",
                    R"({"x-a":1,"b":"c"})"),
            "/x-a: a text; /b: a whole number");
}

TEST(OpenApiBodyTest, IsStrictJson) {
  EXPECT_EQ(checked("{}", R"({"a":1,"a":2})"), ": JSON: no name twice in one object");
  EXPECT_EQ(checked("{}", R"([{"b":{"a":1,"a":2}}])"), ": JSON: no name twice in one object");
  EXPECT_EQ(checked("{}", std::string(100, '[') + std::string(100, ']')),
            ": JSON of at most 64 levels");
  for (const char* const text :
       {"", "{", "{\"a\":}", "1 2", "nul", "'a'", "{\"a\":1,}", "\"\xff\"", "01", "// a\n1"}) {
    EXPECT_TRUE(checked("{}", text).starts_with(": JSON")) << text;
  }
}

TEST(OpenApiBodyTest, CostsNoMoreThanSoMuch) {
  // Each level asks for the next one twice: 2^60 steps.
  std::string schemas = "{";
  for (int i = 0; i < 60; ++i) {
    schemas += fmt::format(R"("s{}":{{"allOf":[{{"$ref":"#/components/schemas/s{}"}},)"
                           R"({{"$ref":"#/components/schemas/s{}"}}]}},)",
                           i, i + 1, i + 1);
  }
  schemas += R"("s60":{}})";
  EXPECT_EQ(checked(R"({"$ref":"#/components/schemas/s0"})", "1", schemas),
            ": a value that is simpler to check");
  const std::string loop = R"({"a":{"allOf":[{"$ref":"#/components/schemas/a"}]}})";
  EXPECT_EQ(checked(R"({"$ref":"#/components/schemas/a"})", "1", loop),
            ": a value that is simpler to check");
}

TEST(OpenApiDocumentTest, RefusesWhatItCannotCheck) {
  const auto schema = [](const std::string& text) {
    return faults_of(described(R"({"/":{"post":{"requestBody":{"content":{"application/json":
      {"schema":)" + text + "}}}}}}"));
  };
  EXPECT_THAT(schema(R"({"if":{}})"), testing::HasSubstr("schema/if: `if` is not supported"));
  EXPECT_THAT(schema(R"({"minimun":1})"), testing::HasSubstr("is `minimum` meant?"));
  EXPECT_THAT(schema(R"({"type":"text"})"), testing::HasSubstr("`text` is no type"));
  EXPECT_THAT(schema(R"-({"pattern":"(?=a)"})-"), testing::HasSubstr("is not supported"));
  EXPECT_THAT(schema(R"({"$ref":"other.yaml#/a"})"), testing::HasSubstr("does not refer to this"));
  EXPECT_THAT(schema(R"({"$ref":"#/components/schemas/x"})"), testing::HasSubstr("to nothing"));
  EXPECT_THAT(schema(R"({"properties":{"a":{"maxLength":-1}}})"),
              testing::HasSubstr("/properties/a/maxLength: a whole number is expected"));
  EXPECT_EQ(schema(R"({"title":"t","x-any":1,"example":1,"deprecated":true})"), "");
  EXPECT_THAT(faults_of(R"({"swagger":"2.0","paths":{}})"), testing::HasSubstr("3.0 and 3.1"));
  EXPECT_THAT(faults_of(described(R"({"/a/{id}":{"get":{}}})")),
              testing::HasSubstr("{id} of the path is not among the parameters"));
  EXPECT_THAT(faults_of(described(R"({
      "/a/{b}":{"parameters":[{"name":"b","in":"path","schema":{}}]},
      "/a/{c}":{"parameters":[{"name":"c","in":"path","schema":{}}]}})")),
              testing::HasSubstr("the same but for its names"));
  EXPECT_THAT(faults_of(described(R"({"/":{"gett":{}}})")), testing::HasSubstr("is no method"));
  EXPECT_THAT(faults_of(described(R"({"/":{"get":{"parameters":[{"name":"a","in":"query",
                                      "style":"deepObject","schema":{}}]}}})")),
              testing::HasSubstr("`style: deepObject` is not supported"));
  EXPECT_THAT(faults_of("nothing"), testing::HasSubstr("JSON"));
}

TEST(OpenApiDocumentTest, KnowsTheTypesOfBodies) {
  const auto document = compiled(described(
      R"({"/":{"post":{"requestBody":{"required":true,"content":{"application/json":{},
        "application/*":{},"image/png":{}}}},"get":{}}})"));
  ASSERT_NE(document, nullptr);
  const Operation& post = *document->find("POST", "/").operation;
  using Check = Document::BodyCheck;
  EXPECT_TRUE(Document::needs_body(post));
  EXPECT_EQ(Document::body_check(post, "Application/JSON ; a=b"), Check::kJson);
  EXPECT_EQ(Document::body_check(post, "application/merge-patch+json"), Check::kJson);
  EXPECT_EQ(Document::body_check(post, "application/xml"), Check::kUnchecked);
  EXPECT_EQ(Document::body_check(post, "image/png"), Check::kUnchecked);
  EXPECT_EQ(Document::body_check(post, "image/gif"), Check::kUnknownType);
  EXPECT_EQ(Document::body_check(post, ""), Check::kUnknownType);
  EXPECT_EQ(Document::body_check(*document->find("GET", "/").operation, "image/gif"),
            Check::kUnexpected);
}

}  // namespace
}  // namespace hangu::openapi
