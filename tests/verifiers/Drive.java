import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Judges docs/verifiers/Verify.java by vectors.json, the argument: prints {@code ok N}, or the names that failed. */
final class Drive {
  private Drive() {}

  private static Object judge(Map<?, ?> vector) {
    String key = (String) vector.get("key");
    byte[] body = Base64.getDecoder().decode((String) vector.get("body_base64"));
    long now = vector.get("now") instanceof Number given ? given.longValue() : Instant.now().getEpochSecond();
    Map<String, List<String>> headers = new LinkedHashMap<>();
    ((Map<?, ?>) vector.get("headers")).forEach((name, value) -> {
      List<?> values = value instanceof List<?> several ? several : List.of(value);
      headers.put((String) name, values.stream().map(String.class::cast).toList());
    });
    return switch ((String) vector.get("function")) {
      case "standard" -> Verify.verifyStandard(key, headers, body, now);
      case "hub" -> Verify.verifyHub(key, headers, body);
      case "timestamped" -> Verify.verifyTimestamped(key, headers, body, now);
      case "challenge" -> Verify.answerChallenge(body).orElse(null);
      case "keys" -> Verify.publicKeys(body);
      default -> "no such function";
    };
  }

  public static void main(String[] arguments) throws Exception {
    Map<?, ?> all = (Map<?, ?>) Verify.json(Files.readAllBytes(Path.of(arguments[0])));
    List<?> vectors = (List<?>) all.get("vectors");
    List<Object> failed = new ArrayList<>();
    for (Object each : vectors) {
      Map<?, ?> vector = (Map<?, ?>) each;
      if (!Objects.equals(judge(vector), vector.get("expected"))) failed.add(vector.get("name"));
    }
    // Java's own servers give the line of the request under the name null.
    Map<String, List<String>> odd = new LinkedHashMap<>();
    odd.put(null, null);
    odd.put("webhook-id", null);
    boolean isTaken = false;
    for (Map<String, List<String>> headers : java.util.Arrays.asList(null, odd, Map.<String, List<String>>of())) {
      for (byte[] body : new byte[][] {null, {}}) {
        for (String key : new String[] {null, "", "whsec_AAAA"}) {
          isTaken |= Verify.verifyStandard(key, headers, body, 0) || Verify.verifyHub(key, headers, body);
          isTaken |= Verify.verifyTimestamped(key, headers, body, 0);
        }
      }
    }
    if (isTaken || Verify.answerChallenge(null).isPresent()) failed.add("handed null");
    System.out.println(failed.isEmpty() ? "ok " + vectors.size() : "failed: " + failed);
    System.exit(failed.isEmpty() ? 0 : 1);
  }
}
