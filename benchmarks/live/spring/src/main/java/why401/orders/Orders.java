package why401.orders;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** An API that answers whoever Spring Security lets in. */
@RestController
@SpringBootApplication
public class Orders {
  public static void main(String[] arguments) {
    SpringApplication.run(Orders.class, arguments);
  }

  @RequestMapping("/v1/orders/{id}")
  Map<String, String> order(@PathVariable String id) {
    return Map.of("id", id);
  }
}
