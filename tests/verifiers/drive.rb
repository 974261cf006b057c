# frozen_string_literal: true

# Judges docs/verifiers/verify.rb by vectors.json, which is the argument: prints `ok N`, or the names that failed.

require "json"
require_relative "../../docs/verifiers/verify"

def judge(vector)
  key, headers, now = vector.values_at("key", "headers", "now")
  body = vector["body_base64"].unpack1("m0")
  at = now.nil? ? [] : [now]
  case vector["function"]
  when "standard" then HookportVerify.verify_standard(key, headers, body, *at)
  when "hub" then HookportVerify.verify_hub(key, headers, body)
  when "timestamped" then HookportVerify.verify_timestamped(key, headers, body, *at)
  when "challenge" then HookportVerify.answer_challenge(body)
  when "keys" then HookportVerify.public_keys(body)
  end
end

vectors = JSON.parse(File.read(ARGV[0], encoding: "UTF-8")).fetch("vectors")
failed = vectors.reject { |vector| judge(vector) == vector["expected"] }.map { |vector| vector["name"] }

# What a parser or a framework may hand over in place of bytes and headers.
[nil, 5, true, {}, [], Object.new, { "type" => "webhook.challenge" }, "\xff", :x].each do |odd|
  headers = { "webhook-id" => odd, "X-Hub-Signature-256" => [odd], "X-Hookport-Signature" => odd }
  held = %i[verify_standard verify_hub verify_timestamped].all? do |name|
    [["whsec_AAAA", {}, odd], ["whsec_AAAA", odd, ""], [odd, headers, ""]].all? do |arguments|
      HookportVerify.public_send(name, *arguments) == false
    end
  end
  held &&= HookportVerify.answer_challenge(odd).nil? && HookportVerify.public_keys(odd) == []
  failed << "handed #{odd.inspect}" unless held
end

# A Rack environment, whose texts are bytes.
vectors.select { |vector| vector["expected"] == true }.each do |vector|
  env = vector["headers"].to_h do |name, value|
    ["HTTP_#{name.upcase.tr("-", "_")}", value.is_a?(String) ? value.b : value]
  end
  failed << "#{vector["name"]}, from Rack" unless judge(vector.merge("headers" => env))
end

puts failed.empty? ? "ok #{vectors.size}" : "failed: #{failed.join("; ")}"
exit failed.empty?
