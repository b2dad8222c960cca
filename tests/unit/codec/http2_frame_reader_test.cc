// The frames of HTTP/2 as RFC 9113 says what a reader must make of them; cases carry the section.
// Each is cut in every way.
#include <string>

#include "hangu/codec/http2/frame_reader.h"
#include "hangu/codec/http2/frame_writer.h"

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http2 {
namespace {

using http1::test::Cuts;
using http1::test::Piece;
using http1::test::replay;
using Kind = FrameEvent::Kind;
using Role = FrameReader::Role;
using std::string_literals::operator""s;

std::string frame(FrameType type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string out(kFrameHeaderBytes, '\0');
  write_frame_header(out.data(), {.length = static_cast<uint32_t>(payload.size()),
                                  .type = type,
                                  .flags = flags,
                                  .stream_id = stream});
  return out + payload;
}

const std::string kSettings = frame(FrameType::kSettings, 0, 0, "");
const std::string kStart = std::string(kClientPreface) + kSettings;

std::string number(uint64_t value) {
  return std::to_string(value);
}

/// Pieces of a body or block are joined by the caller.
std::string describe(const FrameEvent& event) {
  const std::string stream = number(event.stream_id);
  const std::string end = event.end_stream ? " end" : "";
  switch (event.kind) {
    case Kind::kNeedMore: return "";
    case Kind::kDataBegin: return "data " + stream + " of " + number(event.value) + end + " '";
    case Kind::kData:
    case Kind::kFieldBlock: return std::string(event.piece);
    case Kind::kDataEnd: return "' padding " + number(event.value) + end + "\n";
    case Kind::kHeadersBegin: return "headers " + stream + end + " '";
    case Kind::kHeadersEnd: return "'" + end + "\n";
    case Kind::kPriority: return "priority " + stream + "\n";
    case Kind::kRstStream: return "reset " + stream + " " + to_string(event.error) + "\n";
    case Kind::kSetting:
      return "setting " + number(static_cast<unsigned>(event.setting.id)) + "=" +
             number(event.setting.value) + "\n";
    case Kind::kSettingsEnd: return event.ack ? "settings ack\n" : "settings\n";
    case Kind::kPing: return "ping '" + std::string(event.piece) + (event.ack ? "' ack\n" : "'\n");
    case Kind::kGoaway:
      return "goaway " + number(event.value) + " " + to_string(event.error) + "\n";
    case Kind::kWindowUpdate: return "window " + stream + " " + number(event.value) + "\n";
    case Kind::kPriorityUpdate:
      return "priority update " + number(event.value) + " '" + std::string(event.piece) + "'\n";
    case Kind::kUnknown: return "unknown of " + number(event.value) + "\n";
    case Kind::kStreamError: return "stream error " + stream + " " + to_string(event.error) + "\n";
  }
  return "?";
}

std::string read(Role role, const FrameReader::Limits& limits, const Cuts& cuts) {
  FrameReader reader(role, limits);
  std::string text;
  for (const std::string_view cut : cuts) {
    const Piece piece(cut);
    std::string_view rest = piece.view();
    for (;;) {
      const auto event = reader.next(rest);
      if (!event) {
        return text + to_string(event.error().code) + ": " + event.error().detail;
      }
      EXPECT_LE(event->consumed, rest.size());
      rest.remove_prefix(event->consumed);
      if (event->kind == Kind::kNeedMore) {
        EXPECT_TRUE(rest.empty());
        break;
      }
      text += describe(*event);
    }
  }
  return text + (reader.between_frames() ? "" : "...");
}

struct Case {
  const char* name;  // section and what it is about
  std::string input;
  std::string expected;
  Role role = Role::kServer;
};

class Frames : public testing::TestWithParam<Case> {};

TEST_P(Frames, AreReadHoweverTheyAreCut) {
  const Case& test = GetParam();
  const std::string start = test.role == Role::kServer ? kStart : kSettings;
  const std::string got =
      replay(start + test.input, [&](const Cuts& cuts) { return read(test.role, {}, cuts); });
  EXPECT_EQ(got, "settings\n" + test.expected) << test.name;
}

constexpr uint8_t kEnd = kFlagEndStream;
constexpr uint8_t kWhole = kFlagEndHeaders;

std::string repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

const Case kCases[] = {
    {"4.1 reserved bit of the stream", frame(FrameType::kData, 0, 0x80000001, "x"),
     "data 1 of 1 'x' padding 0\n"},
    {"4.1 unknown flags", frame(FrameType::kData, 0xf2, 1, "x"), "data 1 of 1 'x' padding 0\n"},
    {"4.1 unknown type", frame(FrameType{0x42}, 0xff, 7, "whatever"), "unknown of 8\n"},
    {"4.2 largest frame", frame(FrameType::kData, kEnd, 1, std::string(16384, 'x')),
     "data 1 of 16384 end '" + std::string(16384, 'x') + "' padding 0 end\n"},
    {"4.2 larger frame", frame(FrameType::kData, 0, 1, std::string(16385, 'x')),
     "FRAME_SIZE_ERROR: a frame is larger than SETTINGS_MAX_FRAME_SIZE"},
    {"4.3 a frame within a block",
     frame(FrameType::kHeaders, 0, 1, "a") + frame(FrameType::kPing, 0, 0, "12345678"),
     "headers 1 'aPROTOCOL_ERROR: a frame within a field block"},
    {"5.5 unknown type within a block",
     frame(FrameType::kHeaders, 0, 1, "a") + frame(FrameType{0x42}, 0, 1, ""),
     "headers 1 'aPROTOCOL_ERROR: a frame within a field block"},
    {"6.1 empty", frame(FrameType::kData, 0, 1, ""), "data 1 of 0 '' padding 0\n"},
    {"6.1 end", frame(FrameType::kData, kEnd, 1, "xy"), "data 1 of 2 end 'xy' padding 0 end\n"},
    {"6.1 padded", frame(FrameType::kData, kFlagPadded, 1, "\2xy\0\0"s),
     "data 1 of 5 'xy' padding 3\n"},
    {"6.1 padded by nothing", frame(FrameType::kData, kFlagPadded, 1, "\0xy"s),
     "data 1 of 3 'xy' padding 1\n"},
    {"6.1 padding only", frame(FrameType::kData, kFlagPadded, 1, "\2\0\0"s),
     "data 1 of 3 '' padding 3\n"},
    {"6.1 too much padding", frame(FrameType::kData, kFlagPadded, 1, "\3\0\0"s),
     "PROTOCOL_ERROR: more padding than payload"},
    {"6.1 padded without its length", frame(FrameType::kData, kFlagPadded, 1, ""),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.1 stream 0", frame(FrameType::kData, 0, 0, "x"),
     "PROTOCOL_ERROR: a frame of a stream on stream 0"},
    {"6.2 whole", frame(FrameType::kHeaders, kWhole | kEnd, 3, "abc"), "headers 3 end 'abc' end\n"},
    {"6.2 with priority",
     frame(FrameType::kHeaders, kWhole | kFlagPriority, 3, "\x80\0\0\1\x10"s + "abc"),
     "headers 3 'abc'\n"},
    {"6.2 padded, with priority",
     frame(FrameType::kHeaders, kWhole | kFlagPriority | kFlagPadded, 3,
           "\1\0\0\0\1\x10"s + "abc\0"s),
     "headers 3 'abc'\n"},
    {"6.2 too much padding", frame(FrameType::kHeaders, kWhole | kFlagPadded, 3, "\5abc"),
     "PROTOCOL_ERROR: more padding than payload"},
    {"6.2 priority cut short", frame(FrameType::kHeaders, kWhole | kFlagPriority, 3, "\0\0\0\1"s),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.2 stream 0", frame(FrameType::kHeaders, kWhole, 0, "x"),
     "PROTOCOL_ERROR: a frame of a stream on stream 0"},
    {"6.3", frame(FrameType::kPriority, 0, 5, "\0\0\0\1\x10"s), "priority 5\n"},
    {"6.3 wrong length", frame(FrameType::kPriority, 0, 5, "\0\0\0\1"s),
     "stream error 5 FRAME_SIZE_ERROR\n"},
    {"6.3 stream 0", frame(FrameType::kPriority, 0, 0, "\0\0\0\1\x10"s),
     "PROTOCOL_ERROR: a frame of a stream on stream 0"},
    {"6.4", frame(FrameType::kRstStream, 0, 5, "\0\0\0\x08"s), "reset 5 CANCEL\n"},
    {"6.4 wrong length", frame(FrameType::kRstStream, 0, 5, "\0\0\0"s),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.4 stream 0", frame(FrameType::kRstStream, 0, 0, "\0\0\0\x08"s),
     "PROTOCOL_ERROR: a frame of a stream on stream 0"},
    {"6.5", frame(FrameType::kSettings, 0, 0, "\0\3\0\0\0\x64\0\x99\0\0\0\1"s),
     "setting 3=100\nsetting 153=1\nsettings\n"},
    {"6.5 acknowledged", frame(FrameType::kSettings, kFlagAck, 0, ""), "settings ack\n"},
    {"6.5 acknowledged with settings", frame(FrameType::kSettings, kFlagAck, 0, "\0\3\0\0\0\x64"s),
     "FRAME_SIZE_ERROR: a SETTINGS acknowledgement with settings"},
    {"6.5 wrong length", frame(FrameType::kSettings, 0, 0, "\0\3\0\0\0"s),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.5 on a stream", frame(FrameType::kSettings, 0, 1, ""),
     "PROTOCOL_ERROR: a frame of the connection on a stream"},
    {"6.5.2 push", frame(FrameType::kSettings, 0, 0, "\0\2\0\0\0\2"s),
     "PROTOCOL_ERROR: SETTINGS_ENABLE_PUSH out of range"},
    {"6.5.2 push of a server", frame(FrameType::kSettings, 0, 0, "\0\2\0\0\0\1"s),
     "PROTOCOL_ERROR: SETTINGS_ENABLE_PUSH out of range", Role::kClient},
    {"6.5.2 initial window", frame(FrameType::kSettings, 0, 0, "\0\4\x80\0\0\0"s),
     "FLOW_CONTROL_ERROR: SETTINGS_INITIAL_WINDOW_SIZE out of range"},
    {"6.5.2 frame size too small", frame(FrameType::kSettings, 0, 0, "\0\5\0\0\x3f\xff"s),
     "PROTOCOL_ERROR: SETTINGS_MAX_FRAME_SIZE out of range"},
    {"6.5.2 frame size too large", frame(FrameType::kSettings, 0, 0, "\0\5\1\0\0\0"s),
     "PROTOCOL_ERROR: SETTINGS_MAX_FRAME_SIZE out of range"},
    {"RFC 8441 3", frame(FrameType::kSettings, 0, 0, "\0\x08\0\0\0\2"s),
     "PROTOCOL_ERROR: a setting that is 0 or 1 is neither"},
    {"6.6", frame(FrameType::kPushPromise, kWhole, 1, "\0\0\0\2x"s),
     "PROTOCOL_ERROR: PUSH_PROMISE, and push is not enabled", Role::kClient},
    {"6.7", frame(FrameType::kPing, 0, 0, "12345678"), "ping '12345678'\n"},
    {"6.7 acknowledged", frame(FrameType::kPing, kFlagAck, 0, "12345678"), "ping '12345678' ack\n"},
    {"6.7 wrong length", frame(FrameType::kPing, 0, 0, "1234567"),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.7 on a stream", frame(FrameType::kPing, 0, 1, "12345678"),
     "PROTOCOL_ERROR: a frame of the connection on a stream"},
    {"6.8", frame(FrameType::kGoaway, 0, 0, "\x80\0\0\7\0\0\0\x0b"s),
     "goaway 7 ENHANCE_YOUR_CALM\n"},
    {"6.8 with debug data", frame(FrameType::kGoaway, 0, 0, "\0\0\0\7\0\0\0\0bye"s) + kSettings,
     "goaway 7 NO_ERROR\nsettings\n"},
    {"6.8 too short", frame(FrameType::kGoaway, 0, 0, "\0\0\0\7"s),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.8 on a stream", frame(FrameType::kGoaway, 0, 1, "\0\0\0\7\0\0\0\0"s),
     "PROTOCOL_ERROR: a frame of the connection on a stream"},
    {"6.9", frame(FrameType::kWindowUpdate, 0, 9, "\x80\0\1\0"s), "window 9 256\n"},
    {"6.9 by 0 on a stream", frame(FrameType::kWindowUpdate, 0, 9, "\0\0\0\0"s),
     "stream error 9 PROTOCOL_ERROR\n"},
    {"6.9 by 0 on the connection", frame(FrameType::kWindowUpdate, 0, 0, "\0\0\0\0"s),
     "PROTOCOL_ERROR: a window update by 0"},
    {"6.9 wrong length", frame(FrameType::kWindowUpdate, 0, 9, "\0\0\0\0\1"s),
     "FRAME_SIZE_ERROR: a frame of the wrong length"},
    {"6.10",
     frame(FrameType::kHeaders, kEnd, 1, "ab") + frame(FrameType::kContinuation, 0, 1, "c") +
         frame(FrameType::kContinuation, kWhole, 1, "d"),
     "headers 1 end 'abcd' end\n"},
    {"6.10 of another stream",
     frame(FrameType::kHeaders, 0, 1, "ab") + frame(FrameType::kContinuation, kWhole, 3, "c"),
     "headers 1 'abPROTOCOL_ERROR: a frame within a field block"},
    {"6.10 behind nothing", frame(FrameType::kContinuation, kWhole, 1, "c"),
     "PROTOCOL_ERROR: CONTINUATION without a field block"},
    {"6.10 eight",
     frame(FrameType::kHeaders, 0, 1, "a") + repeat(frame(FrameType::kContinuation, 0, 1, "b"), 8),
     "headers 1 'abbbbbbbb..."},
    {"6.10 nine",
     frame(FrameType::kHeaders, 0, 1, "a") + repeat(frame(FrameType::kContinuation, 0, 1, "b"), 9),
     "headers 1 'abbbbbbbbENHANCE_YOUR_CALM: too many CONTINUATION frames"},
    {"RFC 9218 7.1", frame(FrameType::kPriorityUpdate, 0, 0, "\0\0\0\5u=1, i"s),
     "priority update 5 'u=1, i'\n"},
    {"RFC 9218 7.1 too long to be true",
     frame(FrameType::kPriorityUpdate, 0, 0, "\0\0\0\5"s + std::string(100, 'x')) + kSettings,
     "priority update 5 ''\nsettings\n"},
    {"RFC 9218 7.1 of stream 0", frame(FrameType::kPriorityUpdate, 0, 0, "\0\0\0\0"s),
     "PROTOCOL_ERROR: PRIORITY_UPDATE for stream 0"},
    {"RFC 9218 7.1 from a server", frame(FrameType::kPriorityUpdate, 0, 0, "\0\0\0\5"s),
     "PROTOCOL_ERROR: PRIORITY_UPDATE from a server", Role::kClient},
    {"a frame cut short", "\0\0\5"s, "..."},
};

INSTANTIATE_TEST_SUITE_P(Rfc9113, Frames, testing::ValuesIn(kCases));

TEST(FramesAtTheStart, PrefaceAndSettings) {
  const auto read_all = [](Role role, const std::string& input) {
    return replay(input, [&](const Cuts& cuts) { return read(role, {}, cuts); });
  };
  EXPECT_EQ(read_all(Role::kServer, kStart), "settings\n");
  EXPECT_EQ(read_all(Role::kClient, kSettings), "settings\n");
  EXPECT_EQ(read_all(Role::kServer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "PROTOCOL_ERROR: not the client preface");
  EXPECT_EQ(read_all(Role::kServer, "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX" + kSettings),
            "PROTOCOL_ERROR: not the client preface");
  EXPECT_EQ(read_all(Role::kClient, "HTTP/1.1 400 Bad Request\r\n\r\n"),
            "FRAME_SIZE_ERROR: a frame is larger than SETTINGS_MAX_FRAME_SIZE");
  const std::string ping = frame(FrameType::kPing, 0, 0, "12345678");
  EXPECT_EQ(read_all(Role::kServer, std::string(kClientPreface) + ping),
            "PROTOCOL_ERROR: the first frame is not SETTINGS");
  EXPECT_EQ(read_all(Role::kClient, frame(FrameType::kSettings, kFlagAck, 0, "")),
            "PROTOCOL_ERROR: the first frame is not SETTINGS");
}

TEST(FrameLimits, AreTheOnesGiven) {
  const FrameReader::Limits limits{.frame_size = 20000, .continuations = 1};
  const auto read_all = [&](const std::string& input) {
    return read(Role::kServer, limits, Cuts{kStart + input});
  };
  EXPECT_TRUE(
      read_all(frame(FrameType::kData, 0, 1, std::string(20000, 'x'))).ends_with("' padding 0\n"));
  EXPECT_TRUE(
      read_all(frame(FrameType::kData, 0, 1, std::string(20001, 'x'))).find("FRAME_SIZE_ERROR") !=
      std::string::npos);
  const std::string block = frame(FrameType::kHeaders, 0, 1, "a");
  const std::string more = frame(FrameType::kContinuation, 0, 1, "b");
  EXPECT_EQ(read_all(block + more), "settings\nheaders 1 'ab...");
  EXPECT_TRUE(read_all(block + more + more).find("ENHANCE_YOUR_CALM") != std::string::npos);
}

TEST(FrameWriter, WritesWhatTheReaderReads) {
  char out[64];
  std::string frames = kStart;
  const auto add = [&](size_t bytes) { frames.append(out, bytes); };
  const Setting settings[] = {{SettingId::kMaxConcurrentStreams, 0xfedcba98},
                              {SettingId::kInitialWindowSize, 1}};
  add(write_settings(out, settings));
  add(write_settings_ack(out));
  add(write_rst_stream(out, 0x7fffffff, ErrorCode::kEnhanceYourCalm));
  add(write_ping(out, "abcdefgh", false));
  add(write_ping(out, "abcdefgh", true));
  add(write_goaway(out, 0x7ffffffe, ErrorCode::kProtocolError));
  add(write_window_update(out, 3, kWindowMax));
  EXPECT_EQ(read(Role::kServer, {}, Cuts{frames}),
            "settings\nsetting 3=4275878552\nsetting 4=1\nsettings\nsettings ack\n"
            "reset 2147483647 ENHANCE_YOUR_CALM\nping 'abcdefgh'\nping 'abcdefgh' ack\n"
            "goaway 2147483646 PROTOCOL_ERROR\nwindow 3 2147483647\n");
}

}  // namespace
}  // namespace hangu::codec::http2
