import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verifies what Hookport delivers. Java 17 or later, standard library only. Copy this file; docs/verify.md tells of it.
 *
 * <pre>{@code
 * @PostMapping("/hooks")
 * ResponseEntity<byte[]> hooks(@RequestHeader MultiValueMap<String, String> headers, @RequestBody byte[] body) {
 *   long now = Instant.now().getEpochSecond();
 *   if (!Verify.verifyStandard(SECRET, headers, body, now)) return ResponseEntity.status(401).build();
 *   return Verify.answerChallenge(body)
 *       .map(answer -> ResponseEntity.ok().contentType(APPLICATION_JSON).body(answer.getBytes(UTF_8)))
 *       .orElseGet(() -> ResponseEntity.noContent().build());
 * }
 * }</pre>
 *
 * The signature is over the bytes that came. That was Spring: take the body as {@code byte[]}, not as a record or a
 * String, since JSON that was parsed and written again is other bytes, and so is text in another character set.
 * Servlets: {@code request.getInputStream().readAllBytes()}, before anything calls {@code getParameter}. JAX-RS: a
 * parameter {@code byte[]}.
 *
 * <p>{@code headers} maps names, in any case, to their values, as {@code MultiValueMap} of Spring,
 * {@code HttpExchange.getRequestHeaders()} and {@code java.net.http.HttpHeaders.map()} do. What cannot be right is
 * false; nothing that a sender sends makes these throw.
 */
public final class Verify {
  public static final long TOLERANCE_SECONDS = 300;
  private static final int MAX_SIGNATURES = 16;
  private static final int MAX_CHALLENGE_BYTES = 4096;
  /** What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo. */
  private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

  private Verify() {}

  /**
   * The dialect {@code standard}: {@code webhook-signature} over {@code {webhook-id}.{webhook-timestamp}.{body}}.
   *
   * @param key a secret ({@code whsec_...}), for the signatures {@code v1}, or a public key ({@code whpk_...}), for the
   *     signatures {@code v1a}
   * @param now the time of day, in seconds
   */
  public static boolean verifyStandard(String key, Map<String, List<String>> headers, byte[] body, long now) {
    String id = one(headers, "webhook-id");
    String timestamp = one(headers, "webhook-timestamp");
    String given = one(headers, "webhook-signature");
    if (key == null || key.isEmpty() || body == null || id == null || given == null) return false;
    // A full stop in the id would let a part of the body pass for the time.
    if (!id.matches("[!-\\-/-~]{1,256}") || !isRecent(timestamp, now)) return false;
    List<String> entries = Arrays.stream(given.split(" ", -1)).filter(entry -> !entry.isEmpty()).toList();
    if (entries.size() > MAX_SIGNATURES) return false;
    byte[] signed = join((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8), body);
    if (key.startsWith("whpk_")) return isSigned(base64(key.substring(5)), entries, signed);
    byte[] secret = base64(key.startsWith("whsec_") ? key.substring(6) : key);
    if (secret == null && !key.startsWith("whsec_")) secret = key.getBytes(StandardCharsets.UTF_8);
    if (secret == null || secret.length == 0) return false;
    String expected = "v1," + Base64.getEncoder().encodeToString(tag(secret, signed));
    boolean holds = false;
    for (String entry : entries) holds |= equal(entry, expected);
    return holds;
  }

  /** The dialect {@code hub}: {@code X-Hub-Signature-256} or {@code X-Webhook-Signature}, over the body alone. */
  public static boolean verifyHub(String secret, Map<String, List<String>> headers, byte[] body) {
    String given = one(headers, "x-hub-signature-256");
    if (given == null) given = one(headers, "x-webhook-signature");
    if (secret == null || secret.isEmpty() || body == null || given == null) return false;
    if (!given.startsWith("sha256=")) return false;
    String expected = HexFormat.of().formatHex(tag(secret.getBytes(StandardCharsets.UTF_8), body));
    return equal(given.substring(7).toLowerCase(Locale.ROOT), expected);
  }

  /** The dialect {@code timestamped}: {@code X-Hookport-Signature: t=...,v1=...} over {@code {t}.{body}}. */
  public static boolean verifyTimestamped(String secret, Map<String, List<String>> headers, byte[] body, long now) {
    String given = one(headers, "x-hookport-signature");
    if (secret == null || secret.isEmpty() || body == null || given == null) return false;
    List<String> times = new ArrayList<>();
    List<String> tags = new ArrayList<>();
    String[] parts = given.split(",", -1);
    for (String untrimmed : parts) {
      String part = untrimmed.replaceAll("^[ \\t]+|[ \\t]+\\z", "");
      if (part.startsWith("t=")) times.add(part.substring(2));
      else if (part.startsWith("v1=")) tags.add(part.substring(3).toLowerCase(Locale.ROOT));
    }
    if (parts.length > MAX_SIGNATURES || times.size() != 1 || !isRecent(times.get(0), now)) return false;
    byte[] signed = join((times.get(0) + ".").getBytes(StandardCharsets.UTF_8), body);
    String expected = HexFormat.of().formatHex(tag(secret.getBytes(StandardCharsets.UTF_8), signed));
    boolean holds = false;
    for (String tag : tags) holds |= equal(tag, expected);
    return holds;
  }

  /** The body to answer with, status 200 and {@code application/json}, if it is a challenge. Verify first. */
  public static Optional<String> answerChallenge(byte[] body) {
    if (body == null || body.length > MAX_CHALLENGE_BYTES) return Optional.empty();
    if (!(json(body) instanceof Map<?, ?> members) || !"webhook.challenge".equals(members.get("type"))) {
      return Optional.empty();
    }
    if (!(members.get("challenge") instanceof String value) || !value.matches("[0-9A-Za-z_-]{1,256}")) {
      return Optional.empty();
    }
    return Optional.of("{\"challenge\":\"" + value + "\"}");
  }

  /** The Ed25519 keys in a {@code jwks.json}, as {@code whpk_...}. A delivery is genuine if it is by one of them. */
  public static List<String> publicKeys(byte[] jwks) {
    List<String> found = new ArrayList<>();
    if (!(json(jwks) instanceof Map<?, ?> set) || !(set.get("keys") instanceof List<?> keys)) return found;
    for (Object each : keys) {
      if (!(each instanceof Map<?, ?> key) || !(key.get("x") instanceof String text)) continue;
      boolean isForUse = !key.containsKey("use") || "sig".equals(key.get("use"));
      if (!isForUse || !"OKP".equals(key.get("kty")) || !"Ed25519".equals(key.get("crv"))) continue;
      byte[] x = base64(text.replace('-', '+').replace('_', '/') + "=");
      if (x != null && x.length == 32) found.add("whpk_" + Base64.getEncoder().encodeToString(x));
    }
    return found;
  }

  /** The value of the header, if there is just one. */
  private static String one(Map<String, List<String>> headers, String name) {
    if (headers == null) return null;
    List<String> found = new ArrayList<>();
    headers.forEach((key, values) -> {
      if (name.equalsIgnoreCase(key) && values != null) found.addAll(values);
    });
    return found.size() == 1 ? found.get(0) : null;
  }

  private static boolean isRecent(String timestamp, long now) {
    if (timestamp == null || !timestamp.matches("[0-9]{1,15}")) return false;
    return Math.abs(now - Long.parseLong(timestamp)) <= TOLERANCE_SECONDS;
  }

  /** What the text stands for, if it is padded, canonical base64. */
  private static byte[] base64(String text) {
    try {
      byte[] found = Base64.getDecoder().decode(text);
      return Base64.getEncoder().encodeToString(found).equals(text) ? found : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static boolean isSigned(byte[] key, List<String> entries, byte[] signed) {
    if (key == null || key.length != 32) return false;
    for (String entry : entries) {
      byte[] signature = entry.startsWith("v1a,") ? base64(entry.substring(4)) : null;
      if (signature == null || signature.length != 64) continue;
      try {
        X509EncodedKeySpec spec = new X509EncodedKeySpec(join(ED25519_PREFIX, key));
        PublicKey publicKey = KeyFactory.getInstance("Ed25519").generatePublic(spec);
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(publicKey);
        verifier.update(signed);
        if (verifier.verify(signature)) return true;
      } catch (GeneralSecurityException e) {
        // What is no point of the curve is no signature.
      }
    }
    return false;
  }

  private static byte[] tag(byte[] key, byte[] signed) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(signed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HmacSHA256", e);
    }
  }

  private static boolean equal(String given, String expected) {
    byte[] a = given.getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(a, expected.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] join(byte[] a, byte[] b) {
    return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
  }

  /** What the JSON stands for: maps, lists, texts, numbers, Booleans, null. Null if it is none. */
  static Object json(byte[] text) {
    try {
      return new Json(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString()).whole();
    } catch (CharacterCodingException | IllegalArgumentException | IndexOutOfBoundsException e) {
      return null;
    }
  }

  /** Java has no reader of JSON: this one is for challenges and key sets. A mistake is an unchecked exception. */
  private static final class Json {
    private static final int MAX_DEPTH = 64;
    private final String text;
    private int at;

    Json(String text) {
      this.text = text;
    }

    Object whole() {
      Object value = value(0);
      if (space() != text.length()) throw new IllegalArgumentException();
      return value;
    }

    private Object value(int depth) {
      if (depth > MAX_DEPTH) throw new IllegalArgumentException();
      space();
      return switch (text.charAt(at)) {
        case '{' -> {
          Map<String, Object> members = new LinkedHashMap<>();
          at++;
          if (is('}')) yield members;
          do {
            space();
            String name = string();
            if (!is(':')) throw new IllegalArgumentException();
            members.put(name, value(depth + 1));
          } while (is(','));
          if (!is('}')) throw new IllegalArgumentException();
          yield members;
        }
        case '[' -> {
          List<Object> items = new ArrayList<>();
          at++;
          if (is(']')) yield items;
          do items.add(value(depth + 1)); while (is(','));
          if (!is(']')) throw new IllegalArgumentException();
          yield items;
        }
        case '"' -> string();
        default -> word();
      };
    }

    private Object word() {
      int start = at;
      while (at < text.length() && isWord(text.charAt(at))) at++;
      String word = text.substring(start, at);
      if (word.equals("null")) return null;
      if (word.equals("true") || word.equals("false")) return Boolean.valueOf(word);
      if (word.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) return new BigDecimal(word);
      throw new IllegalArgumentException();
    }

    private static boolean isWord(char c) {
      return (c < 128 && Character.isLetterOrDigit(c)) || "+-.".indexOf(c) >= 0;
    }

    private String string() {
      if (text.charAt(at++) != '"') throw new IllegalArgumentException();
      StringBuilder found = new StringBuilder();
      for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
        if (c < ' ') throw new IllegalArgumentException();
        if (c != '\\') {
          found.append(c);
          continue;
        }
        char escaped = text.charAt(at++);
        if (escaped == 'u') {
          found.append((char) HexFormat.fromHexDigits(text, at, at + 4));
          at += 4;
        } else {
          int which = "\"\\/bfnrt".indexOf(escaped);
          found.append("\"\\/\b\f\n\r\t".charAt(which));
        }
      }
      return found.toString();
    }

    private boolean is(char c) {
      boolean found = space() < text.length() && text.charAt(at) == c;
      if (found) at++;
      return found;
    }

    private int space() {
      while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
      return at;
    }
  }
}
