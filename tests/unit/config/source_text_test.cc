#include "config/source_text.h"

#include <gtest/gtest.h>

namespace hangu::config {
namespace {

std::string shown(std::string_view line) {
  return SourceText(line).snippet(1);
}

TEST(SourceTextTest, MasksSecretsOfYaml) {
  EXPECT_EQ(shown("    client_secret: hunter2"), "    client_secret: *******");
  EXPECT_EQ(shown("a: {client_secret: hunter2, id: x}"), "a: {client_secret: *******, id: x}");
  EXPECT_EQ(shown("  - {user: ada, hash: \"$2b$10$abc\"}"), "  - {user: ada, hash: ************}");
  EXPECT_EQ(shown("secrets: [\"one\", 'two', three, {id: x}]"),
            "secrets: [*****, *****, *****, {id: x}]");
  EXPECT_EQ(shown("cache_key: abc"), "cache_key: ***");
}

TEST(SourceTextTest, MasksSecretsOfCompactJson) {
  EXPECT_EQ(shown(R"({"client_secret":"hunter2"})"), R"({"client_secret":*********})");
  EXPECT_EQ(shown(R"({"a":1,"jwt":{"secret":"one","b":["x"]},"password":"t\"wo","token":3})"),
            R"({"a":1,"jwt":{"secret":*****,"b":["x"]},"password":*******,"token":*})");
  EXPECT_EQ(shown(R"({"secrets":["one","two"],"hash":"h","c":"d"})"),
            R"({"secrets":[*****,*****],"hash":***,"c":"d"})");
  EXPECT_EQ(shown(R"({"password" : "one"})"), R"({"password" : *****})");
  EXPECT_EQ(shown(R"({'api-key':'one'})"), R"({'api-key':*****})");
}

TEST(SourceTextTest, ShowsWhatIsNoSecret) {
  for (const char* line :
       {R"({"client_secret":"file:/run/secrets/x","a":"b"})", R"({"password":"${PASSWORD}"})",
        "url: http://secret:8080/", "token:x", "password: 'file:/run/x'", "api_keys: [{id: a}]"}) {
    EXPECT_EQ(shown(line), line);
  }
}

}  // namespace
}  // namespace hangu::config
