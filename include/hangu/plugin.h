// The interface between hangu and its plugins: plain C (C99), no C++ type, no symbol of hangu's. A
// plugin is a shared object that exports one object, `hangu_plugin_descriptor`; C++ authors include
// hangu/plugin.hpp instead, which makes it from a class. docs/plugins.md is the author's guide.
//
// Stability: structs begin with their size and only grow at their end, functions and enumerators
// are only added; HANGU_PLUGIN_ABI_MINOR counts that. What breaks old plugins raises
// HANGU_PLUGIN_ABI_MAJOR, and hangu refuses them by name. A plugin runs in every hangu of its major
// version whose minor version is at least its own.
//
// Threads: initialise, configure and release are called on hangu's control thread, one at a time.
// The phases are called on worker threads, on several at once with the same `instance`: it is
// constant, or its members are atomic. Each stream stays on one worker. Phases must not block.
#pragma once

#include <stddef.h>
#include <stdint.h>

// NOLINTBEGIN: the names and types of C
#ifdef __cplusplus
extern "C" {
#endif

#define HANGU_PLUGIN_ABI_MAJOR 1
#define HANGU_PLUGIN_ABI_MINOR 0

#if defined(__GNUC__)
#define HANGU_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define HANGU_PLUGIN_EXPORT
#endif

/* A text, not ended by a zero byte. Those that hangu hands out are valid until the callback
 * returns, those that it takes are copied. Absent: data is NULL. */
typedef struct hangu_text {
  const char* data;
  size_t size;
} hangu_text;

typedef struct hangu_field {
  hangu_text name;
  hangu_text value;
} hangu_field;

/* A request and its response, valid until the callback returns. */
typedef struct hangu_stream hangu_stream;
typedef struct hangu_host hangu_host;
typedef struct hangu_problems hangu_problems;

/* What callbacks and functions answer. */
enum {
  HANGU_OK = 0,
  HANGU_REPLIED = 1,     /* of a phase: it called `reply`, the request goes no further */
  HANGU_ERROR = -1,      /* of a phase: counted, and `on_error` of the config decides */
  HANGU_INVALID = -2,    /* of a function: an argument is not allowed, nothing was done */
  HANGU_UNAVAILABLE = -3 /* of a function: not in this phase, or too late */
};

/* The phases that a plugin takes part in: bits of `phases`. */
enum {
  HANGU_PHASE_REQUEST_HEAD = 1,
  HANGU_PHASE_REQUEST_BODY = 2,  /* pieces as they come; end: the last one, which may be empty */
  HANGU_PHASE_RESPONSE_HEAD = 4, /* of the upstream's answer */
  HANGU_PHASE_RESPONSE_BODY = 8,
  HANGU_PHASE_STREAM_END = 16, /* exactly once for each request of the route, even one that was
                                * refused before it came to the plugin */
  HANGU_PHASE_LOCAL_REPLY = 32 /* in place of the response's: an answer that hangu made itself */
};

typedef enum hangu_message { HANGU_REQUEST = 0, HANGU_RESPONSE = 1 } hangu_message;

/* Texts of a stream; absent where there is no such thing (yet). */
typedef enum hangu_text_fact {
  HANGU_TEXT_METHOD = 0,
  HANGU_TEXT_PATH = 1, /* normalised */
  HANGU_TEXT_QUERY = 2,
  HANGU_TEXT_HOST = 3,
  HANGU_TEXT_ROUTE = 4,
  HANGU_TEXT_CLIENT_IP = 5, /* behind trusted proxies: what they said */
  HANGU_TEXT_REQUEST_ID = 6,
  HANGU_TEXT_TRACE_ID = 7,
  HANGU_TEXT_CONSUMER = 8, /* who the client has proved to be */
  HANGU_TEXT_TLS_SERVER_NAME = 9,
  HANGU_TEXT_TLS_CLIENT = 10, /* subject of the client's certificate */
  HANGU_TEXT_UPSTREAM_ADDRESS = 11,
  HANGU_TEXT_CODE = 12 /* of a local reply, such as route.none */
} hangu_text_fact;

/* Numbers of a stream; -1 where there is no such thing (yet). */
typedef enum hangu_number_fact {
  HANGU_NUMBER_STATUS = 0, /* of the response */
  HANGU_NUMBER_REQUEST_BYTES = 1,
  HANGU_NUMBER_RESPONSE_BYTES = 2,
  HANGU_NUMBER_CONTENT_LENGTH = 3, /* of the request's body; -1: not known */
  HANGU_NUMBER_HAS_REQUEST_BODY = 4,
  HANGU_NUMBER_AGE_NS = 5,    /* since the first byte of the request */
  HANGU_NUMBER_UNIX_TIME = 6, /* seconds, of the worker's clock */
  HANGU_NUMBER_WORKER = 7,    /* 0 to workers - 1 */
  HANGU_NUMBER_SHADOW = 8     /* 1: with `mode: shadow`, so that nothing is changed */
} hangu_number_fact;

/* An answer in place of the upstream's. */
typedef struct hangu_reply {
  size_t size;             /* sizeof(hangu_reply) */
  int32_t status;          /* 200 to 599 */
  hangu_text code;         /* for machines and logs: letters, digits, `.`, `_`, `-`; at most 64 */
  hangu_text detail;       /* for people; may be absent */
  hangu_text content_type; /* absent: the body is a problem (RFC 9457) with code and detail */
  hangu_text body;
  const hangu_field* fields; /* more header fields */
  size_t fields_count;       /* at most 16 */
} hangu_reply;

enum { HANGU_LOG_DEBUG = 0, HANGU_LOG_INFO = 1, HANGU_LOG_WARNING = 2, HANGU_LOG_ERROR = 3 };

/* What hangu offers, one for each plugin; valid as long as the process. */
struct hangu_host {
  size_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t workers; /* 0: only a config is being checked */
  hangu_text version;

  /* Memory that is counted for the plugin; any thread. NULL: there is none. */
  void* (*allocate)(const hangu_host* host, size_t bytes);
  void (*deallocate)(const hangu_host* host, void* memory);
  /* A line of the operators' log, with the plugin's name; any thread. Not for each request. */
  void (*log)(const hangu_host* host, int level, hangu_text message);
  /* In configure: what is wrong with the config; `pointer` is a JSON pointer (RFC 6901) to it. */
  void (*problem)(hangu_problems* problems, hangu_text pointer, hangu_text message);

  hangu_text (*text)(const hangu_stream* stream, hangu_text_fact fact);
  int64_t (*number)(const hangu_stream* stream, hangu_number_fact fact);

  /* The first field of that name, without regard to case. */
  hangu_text (*header)(const hangu_stream* stream, hangu_message message, hangu_text name);
  /* The first `capacity` fields; how many there are. */
  size_t (*headers)(const hangu_stream* stream, hangu_message message, hangu_field* fields,
                    size_t capacity);
  /* Not the fields that frame a message or are of its connection. Until the head has left. */
  int (*set_header)(hangu_stream* stream, hangu_message message, hangu_text name, hangu_text value);
  int (*add_header)(hangu_stream* stream, hangu_message message, hangu_text name, hangu_text value);
  int (*remove_header)(hangu_stream* stream, hangu_message message, hangu_text name);

  /* In a head phase, before replace_body: the length of the message's body will change. */
  int (*change_body)(hangu_stream* stream, hangu_message message);
  /* In a body phase: other bytes in place of the piece, or none. */
  int (*replace_body)(hangu_stream* stream, hangu_text bytes);
  /* Until the head of a response has left. Then the phase answers HANGU_REPLIED. */
  int (*reply)(hangu_stream* stream, const hangu_reply* reply);

  /* Memory of the stream, zeroed, that goes with it; NULL: too much is asked. */
  void* (*stream_memory)(hangu_stream* stream, size_t bytes);
  /* One pointer for each stream and use of the plugin, NULL at first. */
  void* (*state)(const hangu_stream* stream);
  int (*set_state)(hangu_stream* stream, void* state);
};

/* What a plugin is. */
typedef struct hangu_plugin {
  size_t size;        /* sizeof(hangu_plugin) */
  uint16_t abi_major; /* HANGU_PLUGIN_ABI_MAJOR */
  uint16_t abi_minor; /* HANGU_PLUGIN_ABI_MINOR */
  uint32_t phases;
  const char* name;    /* that its author gave it */
  const char* version; /* the author's, such as "1.2.0" */

  /* Once, before anything else; may be NULL. Other than HANGU_OK: it cannot be used. */
  int (*initialise)(const hangu_host* host);
  /* For each use in a route: checks `json` (an object) and makes what the phases get. Reports all
   * that is wrong with it by `problem` and answers HANGU_ERROR. May be NULL: then the config must
   * be empty. */
  int (*configure)(const hangu_host* host, hangu_text json, hangu_problems* problems,
                   void** instance);
  /* Once for each `configure` that succeeded, when the last stream that used it is over. */
  void (*release)(void* instance);

  int (*on_request_head)(void* instance, hangu_stream* stream);
  int (*on_request_body)(void* instance, hangu_stream* stream, hangu_text piece, int end);
  int (*on_response_head)(void* instance, hangu_stream* stream);
  int (*on_response_body)(void* instance, hangu_stream* stream, hangu_text piece, int end);
  void (*on_stream_end)(void* instance, hangu_stream* stream);
  void (*on_local_reply)(void* instance, hangu_stream* stream);
} hangu_plugin;

/* What the shared object exports. */
extern HANGU_PLUGIN_EXPORT const hangu_plugin hangu_plugin_descriptor;

#ifdef __cplusplus
}
#endif
// NOLINTEND
