// WebsocketFrames: where frames end, however the bytes come.
#include "hangu/http/websocket_frames.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

std::string frame(size_t size, bool masked) {
  std::string out("\x82", 1);
  const char mask = masked ? '\x80' : '\0';
  if (size < 126) {
    out += static_cast<char>(mask | static_cast<char>(size));
  } else if (size < 65536) {
    out += static_cast<char>(mask | 126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xff);
  } else {
    out += static_cast<char>(mask | 127);
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>((size >> shift) & 0xff);
    }
  }
  return out + std::string(masked ? 4 : 0, 'm') + std::string(size, '\x81');
}

TEST(WebsocketFrames, KnowsTheEndsOfFramesInPiecesOfAnySize) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  for (const size_t most : {1U, 2U, 3U, 7U, 100U, 100'000U}) {
    std::string all;
    std::vector<size_t> ends = {0};
    for (const size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 70000U, 0U, 0U, 5U}) {
      for (const bool masked : {false, true}) {
        all += frame(size, masked);
        ends.push_back(all.size());
      }
    }
    WebsocketFrames frames;
    EXPECT_TRUE(frames.between());
    for (size_t at = 0; at < all.size();) {
      const size_t size = std::min<size_t>(1 + random() % most, all.size() - at);
      frames.pass(std::string_view(all).substr(at, size));
      at += size;
      EXPECT_EQ(frames.between(), std::binary_search(ends.begin(), ends.end(), at)) << at;
    }
  }
}

TEST(WebsocketFrames, StopsAtTheEndOfTheFrameUnderWay) {
  const std::string two = frame(200, false) + frame(3, false);
  for (size_t cut = 0; cut <= 204; ++cut) {
    WebsocketFrames frames;
    frames.pass(std::string_view(two).substr(0, cut));
    const size_t more = frames.pass_to_end(std::string_view(two).substr(cut));
    EXPECT_EQ(more, cut == 0 ? 0 : 204 - cut);
    EXPECT_TRUE(frames.between());
  }
}

TEST(WebsocketFrames, WaitsWhenTheEndHasNotCome) {
  const std::string one = frame(200, false);
  WebsocketFrames frames;
  frames.pass(one.substr(0, 1));
  EXPECT_EQ(frames.pass_to_end(one.substr(1, 100)), 100U);
  EXPECT_FALSE(frames.between());
}

TEST(WebsocketFrames, WritesACloseFrame) {
  const CloseFrame frame = close_frame(kCloseServiceRestart);
  EXPECT_EQ(std::string(frame.data(), frame.size()), std::string("\x88\x02\x03\xf4", 4));
}

}  // namespace
}  // namespace hangu::http
