package com.example;

import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugins.annotations.Mojo;

@Mojo(name = "greet", requiresProject = false)
public class GreetMojo extends AbstractMojo {
    @Override
    public void execute() {
        getLog().info(Hello.say());
    }
}
