# frozen_string_literal: true

# Verifies what Hookport delivers. Ruby 3.0 or later, no gems. Copy this file; docs/verify.md tells of it.
#
#     require_relative "verify"
#
#     post "/hooks" do
#       body = request.body.read
#       halt 401 unless HookportVerify.verify_standard(ENV.fetch("HOOKPORT_SECRET"), request.env, body)
#       answer = HookportVerify.answer_challenge(body)
#       return [200, { "content-type" => "application/json" }, answer] if answer
#       event = JSON.parse(body)
#       204
#     end
#
# The signature is over the bytes that came; JSON that was parsed and written again is other bytes. That was Sinatra: if
# something has read the body before, `request.body.rewind` first. Rails: `request.raw_post`, not `params`, with
# `skip_forgery_protection`. Lambda: `Base64.decode64(event["body"])` if `isBase64Encoded`.
#
# `headers` is a Hash or a Rack environment: names in any case (or `HTTP_…`), values texts or lists of one text. What
# cannot be right is false; nothing that a sender sends makes these raise.

require "json"
require "openssl"

module HookportVerify
  TOLERANCE_SECONDS = 300
  MAX_SIGNATURES = 16
  MAX_CHALLENGE_BYTES = 4096
  # What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
  ED25519_PREFIX = ["302a300506032b6570032100"].pack("H*").freeze

  module_function

  # The dialect `standard`: `webhook-signature` over `{webhook-id}.{webhook-timestamp}.{body}`.
  #
  # `key` is a secret (`whsec_…`), for the signatures `v1`, or a public key (`whpk_…`), for the signatures `v1a`.
  def verify_standard(key, headers, body, now = Time.now.to_i)
    id, timestamp, given = %w[webhook-id webhook-timestamp webhook-signature].map { |name| one(headers, name) }
    return false if [key, id, given, body].any? { |text| !text.is_a?(String) } || key.empty?
    # A full stop in the id would let a part of the body pass for the time.
    return false unless id.match?(/\A[!-\-\/-~]{1,256}\z/) && recent?(timestamp, now)

    signed = "#{id}.#{timestamp}.".b + body.b
    # Not split(" "), which would split at tabs and line ends as well.
    entries = given.b.split(/ /, -1).reject(&:empty?)
    return false if entries.size > MAX_SIGNATURES
    return asymmetric?(key.delete_prefix("whpk_"), entries, signed) if key.start_with?("whpk_")

    secret = key.start_with?("whsec_") ? base64(key.delete_prefix("whsec_")) : base64(key) || key
    return false if secret.nil? || secret.empty?

    expected = "v1," + [OpenSSL::HMAC.digest("SHA256", secret, signed)].pack("m0")
    entries.count { |entry| equal?(entry, expected) }.positive?
  rescue StandardError
    false
  end

  # The dialect `hub`: `X-Hub-Signature-256` or `X-Webhook-Signature`, over the body alone.
  def verify_hub(secret, headers, body)
    given = one(headers, "x-hub-signature-256") || one(headers, "x-webhook-signature")
    return false if [secret, given, body].any? { |text| !text.is_a?(String) } || secret.empty?
    return false unless given.start_with?("sha256=")

    equal?(given.delete_prefix("sha256=").downcase(:ascii), OpenSSL::HMAC.hexdigest("SHA256", secret, body))
  rescue StandardError
    false
  end

  # The dialect `timestamped`: `X-Hookport-Signature: t=…,v1=…` over `{t}.{body}`.
  def verify_timestamped(secret, headers, body, now = Time.now.to_i)
    given = one(headers, "x-hookport-signature")
    return false if [secret, given, body].any? { |text| !text.is_a?(String) } || secret.empty?

    parts = given.split(",", -1).map { |part| part.gsub(/\A[ \t]+|[ \t]+\z/, "") }
    times, tags = %w[t= v1=].map { |name| parts.filter_map { |p| p.delete_prefix(name) if p.start_with?(name) } }
    return false unless parts.size <= MAX_SIGNATURES && times.size == 1 && recent?(times[0], now)

    expected = OpenSSL::HMAC.hexdigest("SHA256", secret, "#{times[0]}.".b + body.b)
    tags.count { |tag| equal?(tag.downcase(:ascii), expected) }.positive?
  rescue StandardError
    false
  end

  # The body to answer with, status 200 and `application/json`, if `body` is a challenge, else nil. Verify first.
  def answer_challenge(body)
    return nil if body.bytesize > MAX_CHALLENGE_BYTES

    text = body.dup.force_encoding(Encoding::UTF_8)
    members = text.valid_encoding? ? JSON.parse(text) : nil
    return nil unless members.is_a?(Hash) && members["type"] == "webhook.challenge"

    challenge = members["challenge"]
    return nil unless challenge.is_a?(String) && challenge.match?(/\A[0-9A-Za-z_-]{1,256}\z/)

    %({"challenge":"#{challenge}"})
  rescue StandardError
    nil
  end

  # The Ed25519 keys in the text of a `jwks.json`, as `whpk_…`. A delivery is genuine if it is by one of them.
  def public_keys(jwks)
    ours = JSON.parse(jwks).fetch("keys").select do |key|
      key.is_a?(Hash) && key["kty"] == "OKP" && key["crv"] == "Ed25519" && key.fetch("use", "sig") == "sig"
    end
    found = ours.filter_map { |key| base64("#{key["x"].tr("-_", "+/")}=") if key["x"].is_a?(String) }
    found.select { |x| x.bytesize == 32 }.map { |x| "whpk_" + [x].pack("m0") }
  rescue StandardError
    []
  end

  # The value of the header, if there is just one.
  def one(headers, name)
    names = [name, "http_#{name.tr("-", "_")}"]
    found = headers.select { |key, _| names.include?(key.to_s.downcase) }.flat_map { |_, value| value }
    found[0] if found.size == 1 && found[0].is_a?(String)
  end

  def recent?(timestamp, now)
    timestamp.is_a?(String) && timestamp.match?(/\A[0-9]{1,15}\z/) && (now - timestamp.to_i).abs <= TOLERANCE_SECONDS
  end

  # What the text stands for, if it is padded, canonical base64.
  def base64(text)
    found = text.unpack1("m0")
    found if [found].pack("m0") == text
  rescue ArgumentError
    nil
  end

  def asymmetric?(key, entries, signed)
    raw = base64(key)
    return false unless raw&.bytesize == 32

    public_key = OpenSSL::PKey.read(ED25519_PREFIX + raw)
    entries.any? do |entry|
      signature = base64(entry.delete_prefix("v1a,")) if entry.start_with?("v1a,")
      signature&.bytesize == 64 && public_key.verify(nil, signature, signed)
    end
  end

  def equal?(given, expected)
    given.bytesize == expected.bytesize && OpenSSL.fixed_length_secure_compare(given, expected)
  end

  private_class_method :one, :recent?, :base64, :asymmetric?, :equal?
end
