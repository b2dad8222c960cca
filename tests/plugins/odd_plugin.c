/* What no plugin should be, for the tests; plain C, which also proves that the header is. ODD says
 * in which way it is odd. */
#include "hangu/plugin.h"

#include <stdlib.h>

#define ODD_NONE 0
#define ODD_NEWER_MAJOR 1
#define ODD_NEWER_MINOR 2
#define ODD_SIZE 3
#define ODD_NO_FUNCTION 4
#define ODD_INITIALISE 5
#define ODD_NO_SYMBOL 6

#ifndef ODD
#define ODD ODD_NONE
#endif

static const hangu_host* host;

static int initialise(const hangu_host* given) {
  host = given;
  return ODD == ODD_INITIALISE ? HANGU_ERROR : HANGU_OK;
}

static int has_word(hangu_text text, const char* word) {
  size_t at;
  size_t length = 0;
  while (word[length] != '\0') {
    ++length;
  }
  for (at = 0; text.data != NULL && at + length <= text.size; ++at) {
    size_t same = 0;
    while (same < length && text.data[at + same] == word[same]) {
      ++same;
    }
    if (same == length) {
      return 1;
    }
  }
  return 0;
}

static int configure(const hangu_host* given, hangu_text json, hangu_problems* problems,
                     void** instance) {
  static const char kWhat[] = "is bad on purpose";
  static const char kWhere[] = "/bad";
  if (has_word(json, "\"bad\"")) {
    const hangu_text pointer = {kWhere, sizeof(kWhere) - 1};
    const hangu_text message = {kWhat, sizeof(kWhat) - 1};
    given->problem(problems, pointer, message);
    return HANGU_ERROR;
  }
  *instance = given->allocate(given, 100);
  return *instance != NULL ? HANGU_OK : HANGU_ERROR;
}

static void release(void* instance) {
  host->deallocate(host, instance);
}

/* By the path of the request. */
static int on_request_head(void* instance, hangu_stream* stream) {
  const hangu_text path = host->text(stream, HANGU_TEXT_PATH);
  (void)instance;
  if (has_word(path, "/segfault")) {
    int* volatile nowhere = NULL;
    *nowhere = 1;
  }
  if (has_word(path, "/abort")) {
    abort();
  }
  if (has_word(path, "/error")) {
    return HANGU_ERROR;
  }
  if (has_word(path, "/liar")) {
    return HANGU_REPLIED;
  }
  if (has_word(path, "/slow")) {
    volatile unsigned long turns = 0;
    while (turns < 20000000UL) {
      ++turns;
    }
  }
  return HANGU_OK;
}

#if ODD == ODD_NO_SYMBOL
const hangu_plugin* odd_descriptor(void);
const hangu_plugin* odd_descriptor(void) {
  static
#else
HANGU_PLUGIN_EXPORT
#endif
const hangu_plugin hangu_plugin_descriptor = {
    ODD == ODD_SIZE ? sizeof(hangu_plugin) - 8 : sizeof(hangu_plugin),
    ODD == ODD_NEWER_MAJOR ? HANGU_PLUGIN_ABI_MAJOR + 1 : HANGU_PLUGIN_ABI_MAJOR,
    ODD == ODD_NEWER_MINOR ? HANGU_PLUGIN_ABI_MINOR + 1 : HANGU_PLUGIN_ABI_MINOR,
    HANGU_PHASE_REQUEST_HEAD | (ODD == ODD_NO_FUNCTION ? HANGU_PHASE_REQUEST_BODY : 0),
    "odd",
    "0.1",
    initialise,
    configure,
    release,
    on_request_head,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL};
#if ODD == ODD_NO_SYMBOL
  return &hangu_plugin_descriptor;
}
#endif
