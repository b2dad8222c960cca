// The types of the header edits of a route: mappings of field names to values (set, add). Values
// are secret when they come from a file, from a variable, or belong to a field that carries
// credentials.
#pragma once

#include "config/type.h"

namespace hangu::config {

class HeaderFieldsType final : public TypeOf<std::vector<HeaderEdit::Field>> {
 public:
  /// `lists`: a field may have a list of values, for repeated fields.
  explicit HeaderFieldsType(bool lists)
      : lists_(lists) {}

  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "mapping of fields"; }

  std::string limits() const override;
  std::string schema() const override;

 private:
  void read_field(Reader& reader, const Node::Entry& entry,
                  std::vector<HeaderEdit::Field>& out) const;

  bool lists_;
};

/// A mapping of names to the values that a request must have; `*` stands for any.
class FieldMatchesType final : public TypeOf<std::vector<FieldMatch>> {
 public:
  /// `headers`: the names are of header fields.
  explicit FieldMatchesType(bool headers)
      : headers_(headers) {}

  void read(Reader& reader, const Node& node, void* out) const override;
  Value to_value(const Config& config, const void* value) const override;

  std::string name() const override { return "mapping"; }

  std::string limits() const override { return "`*`: any value"; }

  std::string schema() const override;

 private:
  bool headers_;
};

}  // namespace hangu::config
